"""Promise: a second S3 server, of other make, keeps what stores and tables rely on."""
import pathlib
import shutil
import sys
import tempfile
import time

sys.dont_write_bytecode = True
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
import lib_s3  # noqa: E402
import s3_lake  # noqa: E402


def main():
    home = pathlib.Path(tempfile.mkdtemp(prefix="surfboard-s3-"))
    server = lib_s3.Server(home, "weed")
    try:
        for _ in range(100):  # it is well before it has its bucket
            if server.request("GET", "/lake", query="list-type=2")[0] == 200:
                break
            time.sleep(0.1)
        s3_lake.stores_are_alike(server)
        s3_lake.fixtures_merge_as_in_a_folder(server, home)
        s3_lake.trouble_is_told(server)
    except s3_lake.Wrong as wrong:
        print(f"FAIL {wrong}\nkept: {home}")
        return 1
    finally:
        server.stop()
    shutil.rmtree(home)
    return 0


if __name__ == "__main__":
    sys.exit(main())
