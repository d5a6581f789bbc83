"""Passwords for docker-compose.yml: `python3 facealbum/stack/passwords.py FOLDER`, which needs nothing installed.

Each server reads its password in a form of its own, and its clients in another; all of a server's files are made
together or, if one is there already, not at all.  The files can be read by any user of a container, as secrets in
containers must; the folder keeps everybody else on this machine out.
"""

import json
import secrets
import sys
from pathlib import Path


def write_passwords(folder: Path) -> list[str]:
    """Make the files that are missing, and give their names; raises FileExistsError where a server's are incomplete."""
    folder.mkdir(mode=0o700, exist_ok=True)
    folder.chmod(0o700)
    made = []
    for files in (_database(), _broker(), _objects(), _web(), _grafana()):
        there = [name for name in files if (folder / name).exists()]
        if there and len(there) < len(files):
            raise FileExistsError(f"{folder} has {', '.join(there)} but lacks others that go with it; remove these")
        for name, content in files.items() if not there else ():
            (folder / name).write_text(content, encoding="utf-8")
            (folder / name).chmod(0o444)
            made.append(name)
    return made


def _database() -> dict[str, str]:
    password = secrets.token_urlsafe(32)
    return {
        "database_password": password,
        "database_url": f"postgresql://facealbum:{password}@database/facealbum",
    }


def _broker() -> dict[str, str]:
    password = secrets.token_urlsafe(32)
    return {
        "broker.conf": f"default_user = facealbum\ndefault_pass = {password}\n",
        "broker_url": f"amqp://facealbum:{password}@broker//",
    }


def _objects() -> dict[str, str]:
    key = {"accessKey": "facealbum", "secretKey": secrets.token_urlsafe(32)}
    rights = ["Admin", "Read", "Write", "List", "Tagging"]
    return {
        "objects.json": json.dumps({"identities": [{"name": "facealbum", "credentials": [key], "actions": rights}]}),
        "aws_credentials": (
            f"[default]\naws_access_key_id = {key['accessKey']}\naws_secret_access_key = {key['secretKey']}\n"
        ),
    }


def _web() -> dict[str, str]:
    return {"api_tokens": secrets.token_urlsafe(32)}


def _grafana() -> dict[str, str]:
    return {"grafana_password": secrets.token_urlsafe(16)}


if __name__ == "__main__":
    for name in write_passwords(Path(sys.argv[1])):
        sys.stdout.write(f"{sys.argv[1]}/{name}\n")
