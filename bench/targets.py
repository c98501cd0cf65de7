"""What sidebeat wants to reach beside its peers, and whether a run showed it."""

from statistics import median

# row, what is compared in it, the peer (None: an absolute figure), the most it may be, whether less is more
ECHO = [
    (f"messages {index}", "cpu_us_per_message", peer, most, False)
    for index in range(4)
    for peer, most in (("haproxy", 0.9), ("blind", 1.1))
]
TARGETS = [
    *ECHO,
    ("messages 3", "cpu_us_per_message", "envoy", 0.8, False),
    ("handshakes", "handshakes_per_cpu_second", "nginx", 1.0, True),
    ("latency", "p99_us", "haproxy", 1.0, False),
    ("idle", "last level", None, 4.0, False),
    ("idle", "cpu_ms_per_second", None, 20.0, False),
]


def judged(values):
    """For each target that was measured: itself, what came out, and whether that is enough."""
    for row, key, peer, most, inverse in TARGETS:
        ours = values(row, "sidebeat", key)
        theirs = values(row, peer, key) if peer else [1.0]
        if not ours or not theirs:
            continue
        ratio = median(ours) / median(theirs)
        came = 1 / ratio if inverse else ratio
        yield (row, key, peer, most), came, came <= most
