"""Our images: small, nobody's root, no tools to build with, nothing secret in any layer."""

import io
import json
import os
import re
import subprocess
import tarfile

import pytest

from harness.target.containers import images
from harness.target.containers.provision import get_images

OURS = ("service", "provider")


@pytest.fixture(scope="module")
def names(engine):
    return get_images(engine, OURS, lambda text: None)


def run(image, *command, **options):
    flags = [f"--{name.replace('_', '-')}={value}" for name, value in options.items()]
    arguments = ["docker", "run", "--rm", "--network=none", *flags, "--entrypoint", command[0], image, *command[1:]]
    return subprocess.run(arguments, capture_output=True, text=True, timeout=60, check=False)


@pytest.mark.parametrize("key", OURS)
def test_an_image_says_who_it_runs_as_how_it_is_seen_to_be_well_and_what_is_in_it(engine, names, key):
    config = engine.ask("GET", f"/images/{names[key]}/json")["Config"]
    assert config["User"] == "10001:10001"
    assert config["Healthcheck"]["Test"][0] == "CMD"
    assert config["StopSignal"] == "SIGTERM"
    bill = json.loads(run(names[key], "cat", "/opt/venv/sbom.cdx.json").stdout)
    found = {part["name"].lower() for part in bill["components"]}
    assert bill["bomFormat"] == "CycloneDX"
    assert {"msgspec", "uvloop", "libc6"} <= found


def added(engine, name, base):
    """Return how many MB an image adds to the base that it is built upon."""
    whole, below = (engine.ask("GET", f"/images/{each}/json") for each in (name, base))
    layers = below["RootFS"]["Layers"]
    assert whole["RootFS"]["Layers"][: len(layers)] == layers, "it is built upon another base"
    return (whole["Size"] - below["Size"]) / 1e6


@pytest.mark.parametrize(("key", "most_mb"), [("service", 100), ("provider", 32)])
def test_an_image_adds_little_to_its_base(engine, names, key, most_mb):
    assert 1 < added(engine, names[key], images.PUBLIC["base"]) < most_mb


@pytest.mark.parametrize("key", OURS)
def test_nothing_in_an_image_can_build_or_install(names, key):
    found = run(names[key], "sh", "-c", "command -v gcc cc make ld g++ cargo; ls /opt/venv/bin; true").stdout.split()
    assert "python" in found
    assert not {"pip", "pip3", "gcc", "make"} & {name.rpartition("/")[2] for name in found}


@pytest.mark.parametrize("key", OURS)
def test_an_image_works_on_a_read_only_root_file_system(names, key):
    program = {"service": "import reference_service.serve", "provider": "import harness.provider.server, harness.faults.witness"}[
        key
    ]
    ended = run(names[key], "python", "-c", program, read_only="true", cap_drop="ALL", security_opt="no-new-privileges")
    assert ended.returncode == 0, ended.stderr
    assert run(names[key], "sh", "-c", "echo x > /opt/venv/x", read_only="true").returncode != 0


def layers(name):
    """Yield (path, bytes) of every file of every layer that is ours, and the image's own configuration."""
    saved = subprocess.run(["docker", "save", name], capture_output=True, timeout=120, check=True).stdout
    with tarfile.open(fileobj=io.BytesIO(saved)) as outer:
        manifest = json.load(outer.extractfile("manifest.json"))[0]
        yield "configuration", outer.extractfile(manifest["Config"]).read()
        for layer in manifest["Layers"][1:]:  # the first is the base
            with tarfile.open(fileobj=io.BytesIO(outer.extractfile(layer).read())) as inner:
                for member in inner:
                    if member.isfile():
                        yield member.name, inner.extractfile(member).read()


SECRET = re.compile(
    rb"sk-(?:ant-|proj-)?[A-Za-z0-9]{20,}|AKIA[A-Z0-9]{16}|gh[pousr]_[A-Za-z0-9]{36}|-----BEGIN [A-Z ]*PRIVATE KEY-----\s+[A-Za-z0-9+/]{40}"
    rb"|://[^/\s:@]+:[A-Za-z0-9]{16,}@[a-z0-9.-]+"
)


@pytest.mark.parametrize("key", OURS)
def test_no_layer_holds_a_secret(names, key):
    mine = [
        value.encode() for name, value in os.environ.items() if re.search("TOKEN|SECRET|PASSWORD|_KEY$", name) and len(value) > 11
    ]
    seen = 0
    for path, data in layers(names[key]):
        seen += 1
        assert not path.endswith((".env", ".netrc", ".pypirc", "id_rsa", "id_ed25519", "credentials.json")), path
        assert "/.git/" not in path, path
        found = SECRET.findall(data)
        assert found == [], path
        assert not [value for value in mine if value in data], path
    assert seen > 50


def test_the_search_finds_a_secret_that_is_there():
    assert SECRET.search(b"key: sk-ant-" + b"a1" * 12)
    assert SECRET.search(b"postgresql://gateway:" + b"f00d" * 4 + b"@postgres")


def test_what_lies_in_the_checkout_beside_the_sources_never_gets_into_an_image():
    from harness.target.containers.provision import _context

    root = images.checkout()
    with tarfile.open(fileobj=_context(root)) as tar:
        tops = {name.split("/")[0] for name in tar.getnames()}
    assert tops <= {"deploy", "harness", "reference_service", "scenarios"}
    ignored = (root / ".dockerignore").read_text(encoding="utf-8").splitlines()
    assert ignored[0] == "*", "docker build sends nothing that is not named"
