"""The external target: what a description says, made real and seen to answer before any load."""

import contextlib
import secrets
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from harness.errors import ConfigurationError, StackError
from harness.model.notice import Channel, ChannelKind
from harness.model.target import Approach, Clock, Instance, Link, Needs, Offer
from harness.target.description import Description
from harness.target.description.document import VersionDocument
from harness.target.description.message import message_of
from harness.target.description.placeholders import Placeholders, each_text, references
from harness.target.external.acting import ForeignActor
from harness.target.external.caller import Caller
from harness.target.external.containers import find_containers
from harness.target.external.linking import Linking
from harness.target.external.offer import offer_of, path_of
from harness.target.external.own_faults import own_faults
from harness.target.external.preflight import preflight
from harness.target.external.processes import NamedProcess
from harness.target.external.provision import provision
from harness.target.external.running import RunningExternal
from harness.target.external.site import ForeignSite
from harness.target.external.starting import Begun, begin
from harness.target.supervise.logs import Mask
from harness.target.supervise.supervisor import Supervisor


class ExternalTarget:
    """A `Target` of the user's own.

    allowed_hosts: those beside loopback that were typed on the command line. seed: added to the plan's, for the
    randomness of the simulated provider and the fault proxy. checked: False leaves out the first request (`try` sends
    one itself). environment: where `${env:X}` is looked up; the process's own by default.
    """

    def __init__(
        self,
        description: Description,
        *,
        allowed_hosts: Sequence[str] = (),
        seed: int = 1,
        state_directory: Path | None = None,
        checked: bool = True,
        environment: Mapping[str, str] | None = None,
    ) -> None:
        self.description = description
        self._allowed = tuple(allowed_hosts)
        self._seed = seed
        self._state_directory = state_directory
        self._checked = checked
        self._environment = environment

    def offer(self) -> Offer:
        """Return what can be asked for; starts nothing and needs no secret."""
        return offer_of(self.description)

    def channels(self) -> tuple[Channel, ...]:
        """Return whom to tell of a run. Raises ConfigurationError where a secret of theirs is missing."""
        placeholders = Placeholders(folder=self.description.folder, environment=self._environment)
        channels = []
        for index, listener in enumerate(self.description.document.notify):
            name = f"notify[{index}]"
            try:
                if listener.webhook is not None:
                    channels.append(Channel(name=name, kind=ChannelKind.WEBHOOK, url=placeholders.fill(listener.webhook)))
                if (grafana := listener.grafana) is not None:
                    url, token = placeholders.fill(grafana.url), placeholders.fill(grafana.token)
                    channels.append(Channel(name=name, kind=ChannelKind.GRAFANA, url=url, token=token))
            except ValueError as error:
                raise ConfigurationError(f"{self.description.located.at(('notify', index))}: {error}") from error
        return tuple(channels)

    def lock_name(self) -> str | None:
        """Return what two runs must not load at once; None where each run has an address of its own."""
        document = self.description.document
        if "${port" in document.base_url or document.base_url.startswith("${"):
            return None
        return document.base_url.replace("//localhost", "//127.0.0.1").rstrip("/")

    def start(self, needs: Needs, logs: Path) -> RunningExternal:
        """Start or find everything and see it answer once.

        Raises ConfigurationError for what the description or a key gets wrong, StackError for a target that is not
        there or not well; nothing is left running that was not running before.
        """
        placeholders = Placeholders(folder=self.description.folder, environment=self._environment)
        self._find_secrets(placeholders)
        supervisor = Supervisor(logs=logs, state_directory=self._state_directory)
        site: ForeignSite | None = None
        try:
            site = ForeignSite(supervisor, logs=logs, mask=Mask.of(placeholders.secrets))
            with _masked(site):
                return self._build(site, placeholders, needs)
        except BaseException:
            if site is not None:
                site.give_up()
            supervisor.stop()
            if site is not None:
                site.write_words()
            raise

    def _find_secrets(self, placeholders: Placeholders) -> None:
        """Read every secret that the description refers to, so that a missing one is told before anything starts."""
        located = self.description.located
        problems: list[str] = []

        def visit(path: tuple[str | int, ...], text: str) -> None:
            for name in references(text):
                if name.startswith(("env:", "file:")):
                    try:
                        placeholders.fill(f"${{{name}}}")
                    except ValueError as error:
                        problems.append(f"{located.at(path)}: {error}")

        each_text(located.data, (), visit)
        if problems:
            raise ConfigurationError(*problems)

    def _build(self, site: ForeignSite, placeholders: Placeholders, needs: Needs) -> RunningExternal:
        document = self.description.document
        placeholders.know_all({"here": str(self.description.folder), "scratch": str(site.scratch), "python": sys.executable})
        ports, randoms = self._made_for_the_run()
        placeholders.know_all({name: str(site.free_port()) for name in ports})
        for name in randoms:
            secret = secrets.token_hex(24)
            placeholders.keep(secret)
            placeholders.know_all({name: secret})
        site.mask_also(list(placeholders.secrets))
        caller = Caller(placeholders.fill(document.base_url), self._allowed)
        linking = Linking(self.description, site, placeholders, self._allowed)
        links, control_url = linking.before_the_start(seed=self._seed + needs.seed)
        begun = begin(self.description, site, placeholders, caller)
        try:
            links |= linking.after_the_start()
            return self._found(site, placeholders, needs, caller, links, control_url, begun)
        except BaseException:
            if begun.housed is not None:
                begun.housed.stop()
            raise

    def _found(
        self,
        site: ForeignSite,
        placeholders: Placeholders,
        needs: Needs,
        caller: Caller,
        links: dict[str, Link],
        control_url: str | None,
        begun: Begun,
    ) -> RunningExternal:
        """Find all that the description names of a target that is up, make its users, and see it answer once."""
        document = self.description.document
        named = {
            name: NamedProcess(name, part, self.description.folder, placeholders.fill)
            for name, part in document.processes.items()
            if part.container is None
        }
        containers = dict(begun.containers)
        if not self.description.starts_by_compose:
            containers |= find_containers(self.description.containers)
        handles = dict(begun.handles) | {name: process.bind() for name, process in named.items()}
        self._follow_logs(site, placeholders)
        self._see_health(caller)
        keys = provision(self.description, needs, placeholders, caller, site)
        approach = self._approach(caller, placeholders)
        running = RunningExternal(
            site=site,
            reference=self.offer().reference,
            base_url=caller.origin,
            caller=caller,
            approach=approach,
            keys=keys,
            instances=tuple(
                Instance(
                    name=part.name,
                    base_url=placeholders.fill(part.base_url),
                    live=part.live,
                    ready=part.ready,
                    metrics=part.metrics,
                )
                for part in document.instances
            ),
            links=links,
            provider_control_url=control_url,
            named=named,
            handles=handles,
            foreign=begun.foreign,
            housed=begun.housed,
            await_ready=begun.await_ready,
            commands=own_faults(self.description, placeholders),
            clocks={
                f"clocks.{name}": Clock(
                    file=path_of(self.description, placeholders.fill(part.file)).resolve(), seen_at=caller.origin + part.seen_at
                )
                for name, part in document.clocks.items()
            },
            disks={f"disks.{name}": path_of(self.description, placeholders.fill(path)) for name, path in document.disks.items()},
            containers=containers,
            actor=ForeignActor(document.actions, self.description.folder, placeholders, caller, keys, site.mask_also),
        )
        if not self._checked or self.offer().locustfile is not None:  # what its tasks ask is not ours to try out
            return running
        headers = preflight(running, self.offer())
        return replace(running, reference=replace(running.reference, version=self._version(headers, placeholders)))

    def _made_for_the_run(self) -> tuple[list[str], list[str]]:
        """Return the placeholders that stand for a free port, and those for a new secret."""
        found: dict[str, None] = {}
        each_text(self.description.located.data, (), lambda _, text: found.update(dict.fromkeys(references(text))))
        ports = [name for name in found if name == "port" or name.startswith("port.")]
        return ports, [name for name in found if name.startswith("random.")]

    def _follow_logs(self, site: ForeignSite, placeholders: Placeholders) -> None:
        for index, part in enumerate(self.description.document.instances):
            if part.log is None:
                continue
            path = path_of(self.description, placeholders.fill(part.log.file))
            try:
                site.follow(f"instance-{part.name}", path)
            except OSError as error:
                where = self.description.located.at(("instances", index, "log"))
                raise ConfigurationError(f"{where}: {path} cannot be read: {error.strerror}") from error

    def _see_health(self, caller: Caller) -> None:
        document = self.description.document
        if document.health is None:
            return
        answer = caller.get(document.health.get)
        if not 200 <= answer.status < 300:
            raise StackError(
                f"{document.name} is unhealthy before anything was done to it: GET {document.health.get} says {answer.status}",
                advice="mend that first: a verdict on it would say nothing",
            )

    def _approach(self, caller: Caller, placeholders: Placeholders) -> Approach:
        document = self.description.document
        limits = document.limits
        # `${key}` stays for the load worker to fill in, principal by principal.
        value = placeholders.fill(document.auth.value, {"key": "${key}"})
        message = message_of(document)
        return Approach(
            message=message,
            chat_path=caller.base_path + document.chat_path if message is None else message.path,
            base_path=caller.base_path,
            auth_header=document.auth.header,
            auth_value=value,
            model_names=dict(document.models),
            allowed_hosts=self._may_be_loaded(caller),
            max_in_flight=None if limits is None else limits.concurrency,
        )

    def _may_be_loaded(self, caller: Caller) -> tuple[str, ...]:
        """Return the hosts beside loopback that get load: our own goes to one address, a locustfile's to all that were typed."""
        if not self._allowed:
            return ()
        return (caller.address[0], *self._allowed) if self.offer().locustfile is not None else (caller.address[0],)

    def _version(self, headers: Mapping[str, str], placeholders: Placeholders) -> str | None:
        version = self.description.document.version
        if isinstance(version, VersionDocument):
            return headers.get(version.header.lower())
        return None if version is None else placeholders.fill(version)


@contextlib.contextmanager
def _masked(site: ForeignSite) -> Iterator[None]:
    """Let no secret leave in an error's text."""
    try:
        yield
    except ConfigurationError as error:
        raise ConfigurationError(*map(site.mask, error.problems), advice=error.advice and site.mask(error.advice)) from None
    except StackError as error:
        raise StackError(site.mask(error.message), advice=error.advice and site.mask(error.advice)) from None
