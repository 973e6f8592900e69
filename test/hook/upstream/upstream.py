# SPDX-License-Identifier: BSL-1.0
"""Client libraries' own tests, from Debian's source packages, as they are and with main in a fiber.

Nothing of a source package is kept among coir's sources: it is fetched when a test is run, into a
folder of the build, and stays there.
"""

import difflib
import functools
import os
import pathlib
import re
import shutil
import signal
import subprocess
import sys

SKIPPED = 77
SECONDS = 150  # for one run, which takes a tenth of that


class Missing(Exception):
    """What a test cannot be made without."""


class Failure(Exception):
    """What a test has found."""


def output_of(*command, timeout=None, **keywords):
    with subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, text=True, errors="replace",
                          start_new_session=True, **keywords) as process:
        try:
            out, errors = process.communicate(timeout=timeout)
        except BaseException:
            os.killpg(process.pid, signal.SIGKILL)  # coir-run's child, too
            raise
    return subprocess.CompletedProcess(command, process.returncode, out, errors)


def require_program(name, package):
    if shutil.which(name) is None:
        raise Missing(f"{name} is not installed ({package})")


def compare_versions(one, other):
    def holds(relation):
        return output_of("dpkg", "--compare-versions", one, relation, other).returncode == 0
    return -1 if holds("lt") else 1 if holds("gt") else 0


class Apt:
    """apt with the servers that this machine's has, but asked for sources, and with everything that
    it keeps in a folder of its own: neither /etc nor the machine's lists are touched."""

    def __init__(self, folder):
        require_program("apt-get", "apt")
        require_program("dpkg-source", "dpkg-dev")
        self.folder = folder
        for inner in ("sources", "lists/partial", "cache/archives/partial"):
            (folder / inner).mkdir(parents=True, exist_ok=True)
        self.write_sources()
        # As root, apt would hand its downloads to a user who may not enter the folder. What other
        # packages have it do after an update is about the machine's own lists.
        (folder / "apt.conf").write_text(f"""
            Dir::Etc::SourceList "/dev/null";
            Dir::Etc::SourceParts "{folder}/sources";
            Dir::State::Lists "{folder}/lists";
            Dir::Cache "{folder}/cache";
            APT::Sandbox::User "root";
            Acquire::Retries "1";
            Acquire::http::Timeout "20";
            #clear APT::Update::Pre-Invoke;
            #clear APT::Update::Post-Invoke;
            #clear APT::Update::Post-Invoke-Success;
        """, encoding="utf-8")

    def write_sources(self):
        """The configured lists, with `deb-src` for `deb`, in both of apt's formats."""
        places = dict(re.findall(r"(\w+)='(.*)'", output_of(
            "apt-config", "shell", "list", "Dir::Etc::sourcelist/f",
            "parts", "Dir::Etc::sourceparts/d").stdout))
        lists = [pathlib.Path(places["list"])]
        for ending in ("*.list", "*.sources"):
            lists += sorted(pathlib.Path(places["parts"]).glob(ending))
        for number, one in enumerate(path for path in lists if path.is_file()):
            text = one.read_text(encoding="utf-8")
            text = re.sub(r"^(\s*)deb\s", r"\1deb-src ", text, flags=re.MULTILINE)
            text = re.sub(r"^Types:.*$", "Types: deb-src", text, flags=re.MULTILINE | re.IGNORECASE)
            ending = ".sources" if one.suffix == ".sources" else ".list"
            (self.folder / "sources" / f"{number}{ending}").write_text(text, encoding="utf-8")

    def run(self, program, *arguments, **keywords):
        return output_of(program, "-c", self.folder / "apt.conf", *arguments, **keywords,
                         env={**os.environ, "LC_ALL": "C"})

    def fetch(self, package, preferred):
        """Unpacks the source of a package: of the preferred version, or else of the newest that
        there is. A server need not have all that it lists."""
        said = self.run("apt-get", "update")
        known = re.findall(r"^Version: (\S+)$",
                           self.run("apt-cache", "showsrc", "--only-source", package).stdout,
                           flags=re.MULTILINE)
        known.sort(key=functools.cmp_to_key(compare_versions), reverse=True)
        for version in sorted(known, key=lambda one: one != preferred):
            target = self.folder / "unpacked"
            shutil.rmtree(target, ignore_errors=True)
            target.mkdir()
            said = self.run("apt-get", "source", "--only-source", f"{package}={version}",
                            cwd=target)
            unpacked = [path for path in target.iterdir() if path.is_dir()]
            if said.returncode == 0 and len(unpacked) == 1:
                return version, unpacked[0]
        reasons = [line for line in said.stderr.splitlines() if line.startswith(("E:", "W:"))]
        raise Missing(f"the source package {package} cannot be fetched: "
                      + "; ".join(reasons or ["apt knows of none"]))


def source_of(binary_package, folder):
    """The folder of a package's source, if possible of the version that is installed."""
    require_program("dpkg-query", "dpkg")
    state = "${db:Status-Status} ${source:Package} ${source:Version}"
    found = output_of("dpkg-query", "--show", f"--showformat={state}", binary_package)
    if found.returncode != 0 or not found.stdout.startswith("installed "):
        raise Missing(f"{binary_package} is not installed")
    _, package, installed = found.stdout.split()
    kept = folder / f"{package}_{installed}"
    if not kept.exists():
        version, unpacked = Apt(folder / "apt").fetch(package, installed)
        print(f"fetched the source of {package} {version}")
        unpacked.rename(kept)
    return kept


def run(*command):
    said = output_of(*command)
    if said.returncode != 0:
        raise Failure(f"{command[0]} has failed:\n{said.stdout}{said.stderr}")
    return said.stdout


def compile_with(*arguments):
    run(os.environ.get("CC", "cc"), "-O1", "-w", *arguments)


def without_numbers(pattern, text):
    """`text` with N in the place of each number in what `pattern` matches."""
    return re.sub(pattern, lambda found: re.sub(r"[0-9.]*[0-9]", "N", found[0]), text)


class Runs:
    """A program of other people's, run as it is and then in a fiber on each reactor."""

    WAYS = ("plain", "epoll", "poll")

    def __init__(self, coir_run, folder):
        self.coir_run = coir_run
        self.report = folder / "report"

    def run(self, way, *command):
        environment = {**os.environ, "LC_ALL": "C", "COIR_HOOK": ""}
        try:
            if way == "plain":
                return output_of(*command, env=environment, timeout=SECONDS)
            self.report.unlink(missing_ok=True)
            result = output_of(self.coir_run, "--report", self.report, "--", *command,
                               env={**environment, "COIR_REACTOR": way}, timeout=SECONDS)
        except subprocess.TimeoutExpired as hung:
            raise Failure(f"{way}: {command} still runs after {SECONDS} s") from hung
        if not re.search(r": [0-9]+ ticks in ", self.report.read_text(encoding="utf-8")):
            raise Failure(f"{command[0]} did not run in a fiber")
        return result


def require_same(what, way, expected, found):
    if expected != found:
        lines = difflib.unified_diff(expected.splitlines(), found.splitlines(), "plain", way,
                                     lineterm="")
        raise Failure(f"{what} is not the same:\n" + "\n".join(list(lines)[:50]))


def main(test):
    try:
        test(*sys.argv[1:])
    except Missing as missing:
        print(f"skipped: {missing}")
        sys.exit(SKIPPED)
    except Failure as failure:
        sys.exit(str(failure))
