#!/usr/bin/env python3
"""world.py NAME DIR: makes the folder that screen scripts work in; `world.py stop DIR` ends its server.

    still   a lake from the captured fixtures in a storage catalog; its source does not answer
    built   a private Postgres with the demo's shop, brought up, captured and merged once
    fresh   the same Postgres, nothing brought up yet
    pair    as fresh, but each table is a stream of its own, so that streams share a capture
    many    several streams, one that can't be captured, one with a name that wants to be obeyed; no Postgres
"""
import json
import os
import pathlib
import shutil
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests/e2e"))
import lib_shop  # noqa: E402

SURFBOARD = os.environ.get("SURFBOARD", str(ROOT / ".build/gcc-faults/surfboard"))
SHOP_TOOL = os.environ.get("SHOP_TOOL", str(ROOT / ".build/gcc-faults/tools/shop"))
CAPTURED = ROOT / "tests/fixtures/debezium/shop"
PG = ROOT / "tests/tools/pg.sh"

RUNS = {
    "0001": [dict(event="start", verb="up", object="shop", user="anna"),
             dict(event="step", step="slot", action="applied"), dict(event="end", exit=0)],
    "0002": [dict(event="start", verb="merge", object="shop", user="anna"),
             dict(event="end", exit=7, error=dict(kind="input", message="customers: line 3 is no JSON",
                                                  remedy="surfboard quarantine shop shows it"))],
    "0003": [dict(event="start", verb="verify", object="shop", user="bert", arguments=["verify", "shop"], resumes=False),
             dict(event="progress", phase="orders", done=500, total=2000, unit="rows", rate=250.0)],
}


def surfboard(*words, **more):
    done = subprocess.run([SURFBOARD, *words], capture_output=True, text=True, **more)
    if done.returncode:
        sys.exit(f"surfboard {' '.join(words)}: exit {done.returncode}\n{done.stdout[-2000:]}{done.stderr[-2000:]}")
    return done.stdout


def write_runs(home):
    folder = home / "state/runs"
    folder.mkdir(parents=True, exist_ok=True)
    for number, events in RUNS.items():
        for second, event in enumerate(events):
            event["at"] = f"2026-01-02T10:0{int(number)}:0{second}.000Z"
            if event["event"] == "start":
                event.update(format=1, run=number, host="dell1", pid=1, boot="gone", started=1, binary="surfboard",
                             version="0.1.0")
        (folder / f"{number}.jsonl").write_text("".join(json.dumps(event) + "\n" for event in events))


def still(home):
    tables = []
    for folder in sorted((CAPTURED / "objects").iterdir()):
        schema = CAPTURED / "schemas" / (folder.name.removeprefix("shop.") + ".json")
        plain = folder.name.split(".")[-1]
        if not schema.is_file() or plain != plain.lower() or not json.loads(schema.read_text()).get("primary_key"):
            continue
        shutil.copytree(folder, home / "deltas" / folder.name)
        (home / "deltas/_schema").mkdir(exist_ok=True)
        shutil.copy(schema, home / "deltas/_schema" / f"{folder.name}.json")
        tables.append(plain)
    lib_shop.profile(home, f"host={home}/nowhere dbname=shop user=surf", tables, generator=False)
    surfboard("--profile", str(home / "surfboard.yaml"), "merge", "shop", "--json")
    for run in (home / "state/runs").iterdir():
        run.unlink()
    write_runs(home)
    (home / "state/receipts").mkdir(exist_ok=True)
    (home / "state/receipts/files.stream.shop.json").write_text(json.dumps(dict(
        format=1, step="files", object="stream.shop", how="created", at="2026-01-02T10:00:00.000Z", by="anna@dell1",
        run="0001", identity=dict(name="shop"), users=["shop"])))


def postgres(home):
    dsn = subprocess.run([PG, "start", str(home / "pg")], check=True, capture_output=True, text=True).stdout.strip()
    for name in ("shop", "lake"):
        subprocess.run(["psql", "-X", "-q", "-d", dsn, "-c", f"CREATE DATABASE {name}"], check=True)
    shop = dsn.replace("dbname=postgres", "dbname=shop")
    (home / "model.json").write_bytes(subprocess.run([SHOP_TOOL, "model"], check=True, capture_output=True).stdout)
    subprocess.run([SHOP_TOOL, "create", shop, "200"], check=True)
    (home / "surfboard.yaml").write_text(f"""format: 1
context: test
state: {home}/state
model: model.json
platform: Demo
sources:
  shop_db: {{generator: true, dsn: "{shop}"}}
capture: {{kind: native}}
lake:
  deltas: deltas
  warehouse: warehouse
  catalog: {{kind: jdbc, name: lake, dsn: "{dsn.replace("dbname=postgres", "dbname=lake")}"}}
streams: {{shop: {{freshness: 1h}}}}
""")


def sign(home):
    """Who did it and where, on every machine the same: golden screens show it."""
    for path in [*(home / "state/receipts").glob("*.json"), *(home / "state/runs").glob("*.jsonl")]:
        lines = [json.loads(line) for line in path.read_text().splitlines()] if path.suffix == ".jsonl" else None
        for event in lines or []:
            event |= {key: value for key, value in (("user", "surf"), ("host", "dell1")) if key in event}
        if lines is None:
            path.write_text(json.dumps(json.loads(path.read_text()) | {"by": "surf@dell1"}))
        else:
            path.write_text("".join(json.dumps(event) + "\n" for event in lines))


def built(home):
    postgres(home)
    profile = ("--profile", str(home / "surfboard.yaml"))
    surfboard(*profile, "up", "shop", "--json")
    surfboard(*profile, "simulate", "shop", "--rate", "0", "--rows", "200", "--seed", "7", "--json")
    surfboard(*profile, "capture", "shop", "--once", "--json")
    surfboard(*profile, "merge", "shop", "--once", "--json")
    sign(home)


def pair(home):
    postgres(home)
    for name, old, new in (("model.json", '"singleOrMultiDatasetIngestion":1', '"singleOrMultiDatasetIngestion":0'),
                           ("surfboard.yaml", "streams: {shop: {freshness: 1h}}", "")):
        text = (home / name).read_text()
        assert old in text, f"{name} has no {old}"
        (home / name).write_text(text.replace(old, new))


def many(home):
    model = lib_shop.bundle("shop_db", "shop", ["orders", "customers"])
    ecosystem = model["ecosystem"]
    team = ecosystem["zones"]["Zone"]["teams"]["Team"]
    sinks = team["workspaces"]["Desk"]["datasetGroups"]["all"]["sinks"]
    team["dataStores"]["shop"]["cmd"]["singleOrMultiDatasetIngestion"] = 0
    for store, container in (("old", "old_db"), ("ev\x1b[31mil\u202e", "shop_db")):
        other = lib_shop.bundle(container, store, ["things"])["ecosystem"]
        team["dataStores"] |= other["zones"]["Zone"]["teams"]["Team"]["dataStores"]
        sinks |= other["zones"]["Zone"]["teams"]["Team"]["workspaces"]["Desk"]["datasetGroups"]["all"]["sinks"]
        ecosystem["primaryIngestionPlatforms"] += other["primaryIngestionPlatforms"]
    (home / "model.json").write_text(json.dumps(model))
    (home / "surfboard.yaml").write_text(f"""format: 1
context: test
state: {home}/state
model: model.json
sources: {{shop_db: {{dsn: "host={home}/nowhere dbname=shop user=surf"}}}}
capture: {{kind: native, topic_prefix: shop}}
lake: {{deltas: {home}/deltas, warehouse: {home}/warehouse, catalog: {{kind: storage}}}}
""")


def main():
    name, home = sys.argv[1], pathlib.Path(sys.argv[2])
    if name == "stop":
        if (home / "pg").is_dir():
            subprocess.run([PG, "stop", str(home / "pg")], check=False, capture_output=True)
        shutil.rmtree(home, ignore_errors=True)
        return
    home.mkdir(parents=True, exist_ok=True)
    {"still": still, "built": built, "fresh": postgres, "pair": pair, "many": many}[name](home)


main()
