"""Promise: on a real S3 server everything holds as in a folder: stores, merges, scans, and a whole pipeline by its profile."""
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

sys.dont_write_bytecode = True
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
import lib_s3  # noqa: E402
import lib_shop  # noqa: E402

ROOT = pathlib.Path(__file__).resolve().parents[2]
SURFBOARD = os.environ.get("SURFBOARD", str(ROOT / ".build/gcc-faults/surfboard"))
CASE = ROOT / "tests/fixtures/debezium/shop"
PG = ROOT / "tests/tools/pg.sh"


class Wrong(Exception):
    pass


def surf(server, *arguments, code=0, **environment):
    done = subprocess.run([SURFBOARD, *map(str, arguments)], capture_output=True, text=True, stdin=subprocess.DEVNULL,
                          env=server.environment(**environment), timeout=300)
    if done.returncode != code:
        raise Wrong(f"exit {done.returncode}, not {code}: {' '.join(map(str, arguments))}\n{done.stdout}{done.stderr}")
    return done


def stores_are_alike(server):
    """The conformance tests of the folder store, on this server."""
    program = pathlib.Path(SURFBOARD).parent / "unit/test_store_kinds"
    done = subprocess.run([program, "s3://lake/conformance"], capture_output=True, text=True, cwd=ROOT,
                          env=server.environment(), stdin=subprocess.DEVNULL)
    if done.returncode:
        raise Wrong(done.stdout + done.stderr)


def fixtures_merge_as_in_a_folder(server, home):
    merged = 0
    for schema in sorted((CASE / "schemas").glob("*.json")):
        name = schema.stem
        topic = CASE / "objects" / ("shop." + re.sub(r"[^A-Za-z0-9._-]", "_", name))
        if name == "public.audit_nopk" or not topic.is_dir():
            continue
        server.put_tree(topic, f"lake/deltas/{topic.name}")
        remote, local = f"s3://lake/tables/{name}", home / "tables" / name
        deltas = f"s3://lake/deltas/{topic.name}"
        surf(server, "merge", "--deltas", deltas, "--schema", schema, "--table", remote, "--gap-wait", "0")
        again = surf(server, "merge", "--deltas", deltas, "--schema", schema, "--table", remote, "--gap-wait", "0")
        if "nothing to do" not in again.stdout:
            raise Wrong(f"{name}: merged twice: {again.stdout}")
        surf(server, "merge", "--deltas", topic, "--schema", schema, "--table", local, "--gap-wait", "0")
        rows = [surf(server, "scan", place, "--format", "json").stdout for place in (remote, local)]
        if rows[0] != rows[1]:
            raise Wrong(f"{name}: the table on S3 is not the one in the folder")
        surf(server, "maintain", "--table", remote, "--snapshot-age", "0s", "--min-snapshots", "1", "--delete-grace", "0s")
        if surf(server, "scan", remote, "--format", "json").stdout != rows[1]:
            raise Wrong(f"{name}: maintenance changed the rows")
        surf(server, "peek", remote)
        merged += bool(rows[0])
    if merged < 5:
        raise Wrong(f"only {merged} tables had rows")
    listed = surf(server, "peek", "s3://lake/deltas/shop.public.orders").stdout
    if ".jsonl" not in listed:
        raise Wrong(f"peek does not list the objects: {listed}")


def trouble_is_told(server):
    for place, environment, code, words in (
            ("s3://nobucket/t", {}, 3, ["NoSuchBucket", "create the bucket"]),
            ("s3://lake/nothing", {}, 3, ["no Iceberg table there"]),
            ("s3://lake/tables/public.orders", {"AWS_SECRET_ACCESS_KEY": "wrongwrong"}, 5, ["SignatureDoesNotMatch"]),
            ("s3://lake/tables/public.orders", {"AWS_ACCESS_KEY_ID": "wrongwrong"}, 5, ["InvalidAccessKeyId"]),
            ("s3://lake/tables/public.orders", {"AWS_ENDPOINT_URL": "http://127.0.0.1:1"}, 4, ["127.0.0.1", "running"]),
            ("s3://lake/tables/public.orders", {"AWS_ENDPOINT_URL": server.url.replace("http", "https")}, 4, ["http://"]),
            ("s3://lake/tables/public.orders", {"AWS_ACCESS_KEY_ID": ""}, 3, ["AWS_ACCESS_KEY_ID"])):
        said = surf(server, "scan", place, code=code, **environment).stderr
        for word in words:
            if word not in said:
                raise Wrong(f"{place} {environment}: does not say {word!r}: {said}")
        if lib_s3.SECRET in said or "wrongwrong" in said:
            raise Wrong(f"a secret is in the message: {said}")


def a_pipeline_runs_by_its_profile(server, home, dsn, catalog):
    home.mkdir()
    profile = lib_shop.profile(home, dsn, ["orders"], catalog=catalog, generator=False, slot=f"surf_{home.name}")
    text = profile.read_text().replace(f"deltas: {home}/deltas", f"deltas: s3://deltas-{home.name}").replace(
        f"warehouse: {home}/warehouse", f"warehouse: s3://warehouse-{home.name}/lake\n"
        f"  s3: {{endpoint: '{server.url}', credential: MINIO}}")
    profile.write_text(text)
    environment = {"MINIO_USER": lib_s3.ACCESS, "MINIO_PASSWORD": lib_s3.SECRET, "XDG_CACHE_HOME": str(home / "cache"),
                   "AWS_ENDPOINT_URL": "http://127.0.0.1:1", "AWS_ACCESS_KEY_ID": "", "AWS_SECRET_ACCESS_KEY": ""}

    def by_profile(*arguments, code=0):
        return surf(server, "--profile", profile, *arguments, code=code, **environment)

    def sql(text):
        subprocess.run(["psql", "-X", "-q", "-v", "ON_ERROR_STOP=1", "-d", dsn, "-c", text], check=True)

    sql("CREATE TABLE IF NOT EXISTS orders (id bigint PRIMARY KEY, note text); TRUNCATE orders; "
        "INSERT INTO orders SELECT g, 'n' || g FROM generate_series(1, 50) g")
    plan = by_profile("plan", "shop").stdout
    if f"s3://deltas-{home.name}" not in plan:
        raise Wrong(f"the plan names no bucket: {plan}")
    by_profile("up", "shop")
    by_profile("merge", "shop")
    sql("UPDATE orders SET note = 'changed' WHERE id <= 10; DELETE FROM orders WHERE id > 40; "
        "INSERT INTO orders VALUES (51, 'new')")
    by_profile("capture", "shop", "--once")
    by_profile("merge", "shop")
    by_profile("verify", "shop", "--full")
    state = json.loads(by_profile("status", "shop", "--json").stdout.splitlines()[-1])["streams"][0]
    if state["batch"] != 2:
        raise Wrong(f"status: {state}")
    by_profile("doctor", "--json")
    left = by_profile("down", "shop", "--confirm", "shop")
    if "MINIO" in left.stdout and lib_s3.SECRET in left.stdout:
        raise Wrong("a secret in the output")
    for path in (home / "state").rglob("*"):
        if path.is_file() and lib_s3.SECRET in path.read_text(errors="replace"):
            raise Wrong(f"the secret is in {path}")


def main():
    home = pathlib.Path(tempfile.mkdtemp(prefix="surfboard-s3-"))
    home.chmod(0o755)
    server = lib_s3.Server(home)
    dsn = None
    try:
        server.make_bucket("lake")
        stores_are_alike(server)
        fixtures_merge_as_in_a_folder(server, home)
        trouble_is_told(server)
        dsn = subprocess.run([PG, "start", home / "pg"], capture_output=True, text=True, check=True,
                             stdin=subprocess.DEVNULL).stdout.strip()
        a_pipeline_runs_by_its_profile(server, home / "jdbc", dsn, dsn)
        a_pipeline_runs_by_its_profile(server, home / "storage", dsn, "storage")
    except Wrong as wrong:
        print(f"FAIL {wrong}\nkept: {home}")
        return 1
    finally:
        if dsn:
            subprocess.run([PG, "stop", home / "pg"], stdin=subprocess.DEVNULL)
        server.stop()
    shutil.rmtree(home)
    return 0


if __name__ == "__main__":
    sys.exit(main())
