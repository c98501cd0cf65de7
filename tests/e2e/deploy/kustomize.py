"""What `kubectl kustomize` prints, for the few features of kustomize that deploy/ uses; anything else is named, not guessed.

Where kubectl is installed, test_validate.py holds the two against each other.
"""

import copy

import yaml

from reading import Broken, UniqueKeys, document, documents

KEYS = {"apiVersion", "kind", "resources", "components", "configMapGenerator", "generatorOptions", "patches", "images", "labels"}
KINDS = {"Kustomization": "kustomize.config.k8s.io/v1beta1", "Component": "kustomize.config.k8s.io/v1alpha1"}
# By what an item of a list is known when a patch is merged; other lists are replaced.
MERGED_BY = {"initContainers": "name", "containers": "name", "volumes": "name", "env": "name", "volumeMounts": "mountPath"}
# Lies beside a kustomization and is for Helm.
NOT_APPLIED = {"adapter.yaml"}


def render(folder, report, objects=None):
    """The objects of a folder; a component changes those of whom includes it."""
    path = folder / "kustomization.yaml"
    kustomization = document(path)
    for key in kustomization.keys() - KEYS:
        report(f"{path}: `{key}` is unknown to this check; misspelt, or teach it")
    kind = "Kustomization" if objects is None else "Component"
    if (kustomization.get("kind"), kustomization.get("apiVersion")) != (kind, KINDS[kind]):
        report(f"{path}: kind must be {kind} of {KINDS[kind]}")
    objects = [] if objects is None else objects
    for name in kustomization.get("resources", []):
        objects += documents(folder / name)
    generate(path, kustomization, objects, report)
    for name in kustomization.get("components", []):
        render(folder / name, report, objects)
    for patch in kustomization.get("patches", []):
        change(path, patch, objects)
    for image in kustomization.get("images", []):
        for container in (c for item in objects for c in containers(item)):
            if container["image"].partition(":")[0] == image["name"]:
                container["image"] = f"{image['newName']}:{image['newTag']}"
    for entry in kustomization.get("labels", []):
        for item in objects:
            item["metadata"].setdefault("labels", {}).update(entry["pairs"])
    if kind == "Kustomization":
        for container in (c for item in objects for c in containers(item)):
            if ":" not in container["image"]:
                report(f"{path}: `images` has no entry for `{container['image']}`, which has no tag")
    look_for_strays(folder, kustomization, report)
    return objects


def containers(item):
    spec = item["spec"]["template"]["spec"] if item["kind"] == "Deployment" else {}
    return spec.get("initContainers", []) + spec.get("containers", [])


def generate(path, kustomization, objects, report):
    for entry in kustomization.get("configMapGenerator", []):
        options = kustomization.get("generatorOptions", {}) | entry.get("options", {})
        if options.get("disableNameSuffixHash") is not True:
            report(f"{path}: without disableNameSuffixHash an edit of proxy.yaml is a rollout, not a reload")
        data = {}
        for file in entry["files"]:
            if not (path.parent / file).is_file():
                raise Broken(f"{path}: configMapGenerator wants {file}, which does not exist")
            data[file] = (path.parent / file).read_text(encoding="utf-8")
        there = [item for item in objects if item["kind"] == "ConfigMap" and item["metadata"]["name"] == entry["name"]]
        behavior = entry.get("behavior", "create")
        if behavior not in ("create", "merge") or (behavior == "merge") != bool(there):
            raise Broken(f"{path}: ConfigMap {entry['name']} is there {len(there)} times already, behavior {behavior}")
        if there:
            there[0]["data"].update(data)
        else:
            objects.append({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": entry["name"]}, "data": data})


def change(path, patch, objects):
    if patch.keys() != {"path", "target"} or patch["target"].keys() != {"kind", "labelSelector"}:
        raise Broken(f"{path}: a patch has `path`, and a `target` by kind and labelSelector; teach this check more")
    label, _, value = patch["target"]["labelSelector"].partition("=")
    file = path.parent / patch["path"]
    with file.open(encoding="utf-8") as text:
        content = yaml.load(text, UniqueKeys)
    for item in objects:
        labels = item["metadata"].get("labels", {})
        if item["kind"] == patch["target"]["kind"] and labels.get(label) == value:
            if isinstance(content, list):
                for operation in content:
                    operate(file, item, operation)
            else:
                merge(item, {key: content[key] for key in content.keys() - {"apiVersion", "kind", "metadata"}})


def merge(target, patch):
    """A strategic merge: objects by key, some lists by a key of their items, new ones before the old."""
    for key, value in patch.items():
        by, old = MERGED_BY.get(key), target.get(key)
        if isinstance(value, dict) and isinstance(old, dict):
            merge(old, value)
        elif by and isinstance(old, list):
            known = {item[by]: item for item in old}
            for item in value:
                if item[by] in known:
                    merge(known[item[by]], item)
            target[key] = [copy.deepcopy(item) for item in value if item[by] not in known] + old
        else:
            target[key] = copy.deepcopy(value)


def operate(file, item, operation):
    """One operation of RFC 6902, but `test` for null holds for what is not there, as in kustomize."""
    *way, last = operation["path"].removeprefix("/").split("/")
    for step in way:
        item = item[int(step)] if isinstance(item, list) else item[step]
    if isinstance(item, list):
        raise Broken(f"{file}: this check knows no operation on an item of a list")
    if operation["op"] == "test":
        if item.get(last) != operation["value"]:
            raise Broken(f"{file}: testing {operation['path']}: it is {item.get(last)}")
    elif operation["op"] == "add":
        item[last] = copy.deepcopy(operation["value"])
    else:
        raise Broken(f"{file}: this check does not know the operation `{operation['op']}`")


def look_for_strays(folder, kustomization, report):
    used = {"kustomization.yaml"} | NOT_APPLIED | set(kustomization.get("resources", []))
    used |= {file for entry in kustomization.get("configMapGenerator", []) for file in entry["files"]}
    used |= {patch["path"] for patch in kustomization.get("patches", [])}
    for other in sorted(folder.glob("*.yaml")):
        if other.name not in used:
            report(f"{other}: no entry of kustomization.yaml uses it")
