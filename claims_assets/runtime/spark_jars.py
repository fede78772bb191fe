"""Fetch once the Delta jars that Spark needs on this machine: `python -m claims_assets.runtime.spark_jars`.

Through Maven where it is installed, which knows the user's mirrors, else through Spark's own resolver. What is there is
used without a network. A cluster has its own jars.
"""

import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import click

from claims_assets.settings import SettingError, settings_from_environment

GROUP, VERSION = "io.delta", "4.4.0"
"""The newest release whose jars are published for Spark 4.2."""
PATIENCE = 600
"""Seconds for the download of about 30 jars."""
POM = """<project xmlns="http://maven.apache.org/POM/4.0.0">
  <modelVersion>4.0.0</modelVersion>
  <groupId>local</groupId><artifactId>jars</artifactId><version>1</version><packaging>pom</packaging>
  <dependencies>
    <dependency><groupId>{group}</groupId><artifactId>{artifact}</artifactId><version>{version}</version></dependency>
  </dependencies>
</project>
"""
SPARK_RESOLVES = """
import sys
from pyspark.sql import SparkSession
SparkSession.builder.master("local[1]").config("spark.jars.packages", sys.argv[1]).config(
    "spark.jars.ivy", sys.argv[2]).config("spark.ui.enabled", "false").getOrCreate().stop()
"""
NAME = re.compile(r"(?:[a-z]+(?:\.[a-z][a-z0-9-]*)+_)?(?P<name>.+?)-\d[^/]*\.jar")
"""Name of a library in the file name of its jar, before which Spark's resolver writes its group."""


def artifact() -> str:
    """Delta's library for the installed Spark."""
    import pyspark

    return f"delta-spark_{'.'.join(pyspark.__version__.split('.')[:2])}_2.13"


def fetch(folder: Path) -> bool:
    """Put the jars into `folder` unless they are there; whether they had to be fetched.

    Raises:
        SettingError: there is no Java, or neither Maven nor Spark could resolve the jars.
    """
    if any(folder.glob(f"*{artifact()}-{VERSION}.jar")):
        return False
    if not shutil.which("java"):
        raise SettingError("The Delta jars are for CLAIMS_ENGINE=spark, which needs Java 17 or 21: install it first.")
    with tempfile.TemporaryDirectory() as name:
        found = _by_maven(Path(name)) if shutil.which("mvn") else _by_spark(Path(name))
        shipped = {_library(p) for p in _spark_home().glob("jars/*.jar")}
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        for jar in found:
            if _library(jar) not in shipped:
                shutil.copy(jar, folder)
    return True


def _by_maven(work: Path) -> list[Path]:
    (work / "pom.xml").write_text(POM.format(group=GROUP, artifact=artifact(), version=VERSION))
    goal = ["dependency:copy-dependencies", f"-DoutputDirectory={work / 'jars'}", "-DincludeScope=runtime"]
    return _run(["mvn", "-B", "-q", "-f", str(work / "pom.xml"), *goal], work / "jars", "Maven")


def _by_spark(work: Path) -> list[Path]:
    coordinate = f"{GROUP}:{artifact()}:{VERSION}"
    return _run([sys.executable, "-c", SPARK_RESOLVES, coordinate, str(work)], work / "jars", "Spark's resolver")


def _run(command: list[str], jars: Path, who: str) -> list[Path]:
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE, check=False)
        said = next((line for line in done.stdout.splitlines() if "[ERROR]" in line), "").replace("[ERROR] ", "")
    except subprocess.TimeoutExpired:
        said = f"no answer within {PATIENCE} s."
    found = sorted(jars.glob("*.jar"))
    if not any(artifact() in p.name for p in found):
        raise SettingError(
            f"{who} could not resolve {artifact()} {VERSION}: check the network or your mirror settings. {said}".strip()
        )
    return found


def _library(jar: Path) -> str:
    found = NAME.fullmatch(jar.name)
    return found["name"] if found else jar.name


def _spark_home() -> Path:
    import pyspark

    return Path(pyspark.__file__).parent


if __name__ == "__main__":
    try:
        folder = settings_from_environment().spark_jars
        click.echo(f"Delta jars {'fetched into' if fetch(folder) else 'are in'} {folder}.")
    except SettingError as error:
        sys.exit(str(error))
