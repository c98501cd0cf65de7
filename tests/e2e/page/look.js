// What is wrong with how a page looks, as a list of sentences. Read and called by the tests: an expression.
() => {
  const problems = [];
  const name = (node) => `${node.localName}${node.id ? `#${node.id}` : ''} “${node.textContent.trim().slice(0, 40)}”`;

  // Within the page, nothing may be wider than the window.
  if (document.documentElement.scrollWidth > innerWidth) problems.push('the page scrolls sideways');

  const visible = (node) => node.checkVisibility({ opacityProperty: true, visibilityProperty: true });
  const dialog = [...document.querySelectorAll('dialog[open]')].at(-1);
  const root = dialog ?? document.body;
  const texts = [];
  const walker = document.createTreeWalker(root, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const node = walker.currentNode;
    const parent = node.parentElement;
    if (!node.data.trim() || !visible(parent) || parent.closest('.sr, .skip, datalist, script, noscript')) continue;
    if (!dialog && parent.closest('dialog')) continue;
    texts.push({ node, parent });
  }
  if (texts.length < 5) problems.push('there is next to nothing to see');

  // The parts of a text that are seen, line by line: what no ancestor cuts off.
  const seen = ({ node, parent }) => {
    const range = document.createRange();
    range.selectNodeContents(node);
    return [...range.getClientRects()].map(({ left, right, top, bottom }) => {
      for (let up = parent; up && up !== document.body; up = up.parentElement) {
        if (getComputedStyle(up).overflow === 'visible') continue;
        const box = up.getBoundingClientRect();
        left = Math.max(left, box.left);
        right = Math.min(right, box.right);
        top = Math.max(top, box.top);
        bottom = Math.min(bottom, box.bottom);
      }
      return { node, parent, left, right, top, bottom };
    });
  };
  const boxes = texts.flatMap(seen).filter((box) => box.right - box.left > 1 && box.bottom - box.top > 1);
  for (const box of boxes) {
    if (box.left < -1 || box.right > innerWidth + 1) problems.push(`over the edge: ${name(box.parent)}`);
  }
  for (const [index, a] of boxes.entries()) {
    for (const b of boxes.slice(index + 1)) {
      const wide = Math.min(a.right, b.right) - Math.max(a.left, b.left);
      const high = Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top);
      if (wide > 2 && high > 4 && a.node !== b.node) problems.push(`over each other: ${name(a.parent)}, ${name(b.parent)}`);
    }
  }

  // WCAG 2.2, 1.4.3: 4.5 to 1.
  const color = (text) => text.match(/[\d.]+/g).map(Number);
  const luminance = ([r, g, b]) => [r, g, b]
    .map((part) => part / 255)
    .map((part) => (part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4))
    .reduce((sum, part, index) => sum + part * [0.2126, 0.7152, 0.0722][index], 0);
  const behind = (node) => {
    for (let up = node; up; up = up.parentElement) {
      const [r, g, b, alpha = 1] = color(getComputedStyle(up).backgroundColor);
      if (alpha === 1) return [r, g, b];
    }
    return [255, 255, 255];
  };
  const poor = new Set();
  for (const { parent } of boxes) {
    if (parent.closest(':disabled')) continue;
    const style = getComputedStyle(parent);
    const ink = luminance(color(parent instanceof SVGElement ? style.fill : style.color));
    const paper = luminance(behind(parent));
    const ratio = (Math.max(ink, paper) + 0.05) / (Math.min(ink, paper) + 0.05);
    if (ratio < 4.5) poor.add(`contrast ${ratio.toFixed(2)}: ${name(parent)}`);
  }
  problems.push(...poor);

  // What can be operated has a name.
  for (const control of root.querySelectorAll('button, a, input, select, summary')) {
    if (!visible(control)) continue;
    const label = control.getAttribute('aria-label') || control.textContent.trim() || control.labels?.[0]?.textContent.trim();
    if (!label) problems.push(`no name: ${control.outerHTML.slice(0, 80)}`);
  }
  return problems;
}
