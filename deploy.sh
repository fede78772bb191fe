#!/usr/bin/env bash
# Deploy the project to one Databricks environment. The only way it is deployed, by a person or by CI; guide:
# docs/deployment.md.
set -euo pipefail

LEAST_CLI="0.279.0" # the first that deploys alerts; databricks.yml states it too
HERE="$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)"
environment="" cloud="" branch="" confirmed=false dry_run=false serving=false

usage() {
  cat <<'TEXT'
Usage: ./deploy.sh -e dev|staging|prod [options]
       ./deploy.sh --branch NAME       [options]

  -e ENVIRONMENT   Where to deploy.
  --branch NAME    For CI: main deploys to staging, release/* to prod, any other branch to dev.
  --cloud CLOUD    azure or aws. Default: what DATABRICKS_HOST says.
  --serving        Deploy the serving endpoint of the champion, instead of the jobs.
  --yes            Do not ask before prod.
  --dry-run        Print the commands, run none of them.
  -h               This text.

Needed: DATABRICKS_HOST and a login of the databricks CLI; BUNDLE_VAR_landing_location, BUNDLE_VAR_warehouse_id and
BUNDLE_VAR_alert_email; for staging and prod also BUNDLE_VAR_service_principal.
TEXT
}

fail() {
  echo "deploy.sh: $1" >&2
  exit 1
}

run() {
  if $dry_run; then echo "$*"; else "$@"; fi
}

read_options() {
  while [ $# -gt 0 ]; do
    case "$1" in
      -e) environment="${2:-}"; shift 2 || fail "-e needs an environment: dev, staging or prod." ;;
      --branch) branch="${2:-}"; shift 2 || fail "--branch needs the name of a branch." ;;
      --cloud) cloud="${2:-}"; shift 2 || fail "--cloud needs azure or aws." ;;
      --serving) serving=true; shift ;;
      --yes) confirmed=true; shift ;;
      --dry-run) dry_run=true; shift ;;
      -h | --help) usage; exit 0 ;;
      *) fail "'$1' is no option: see ./deploy.sh -h." ;;
    esac
  done
  if [ -n "$branch" ]; then
    [ -z "$environment" ] || fail "-e and --branch both say where to deploy: give one of them."
    case "$branch" in
      main) environment=staging ;;
      release/*) environment=prod ;;
      *) environment=dev ;;
    esac
  fi
  case "$environment" in
    dev | staging | prod) ;;
    "") fail "no environment is given: write -e dev, -e staging or -e prod." ;;
    *) fail "'$environment' is no environment: write -e dev, -e staging or -e prod." ;;
  esac
}

choose_cloud() {
  if [ -z "$cloud" ]; then
    [ -n "${DATABRICKS_HOST:-}" ] || fail "DATABRICKS_HOST is not set: set it to the workspace's address, https://<workspace>."
    case "$DATABRICKS_HOST" in
      *.gcp.*) fail "$DATABRICKS_HOST is on Google Cloud, for which no machines are stated: add targets as those of AWS in databricks.yml." ;;
      *azuredatabricks*) cloud=azure ;;
      *) cloud=aws ;;
    esac
  fi
  case "$cloud" in
    azure) target="$environment" ;;
    aws) target="${environment}_aws" ;;
    *) fail "'$cloud' is no cloud: write --cloud azure or --cloud aws." ;;
  esac
}

needs_variable() {
  local name="BUNDLE_VAR_$1"
  [ -n "${!name:-}" ] || fail "$name is not set: set it to $2."
}

check_variables() {
  if [ "$environment" != dev ]; then
    needs_variable service_principal "the application id of the service principal that the jobs run as"
  fi
  if $serving; then return; fi
  needs_variable landing_location "the external location of the landing files, abfss://... or s3://..."
  needs_variable warehouse_id "the id of the SQL warehouse that evaluates the alerts"
  needs_variable alert_email "the address that alerts and failed jobs write to"
}

check_cli() {
  command -v databricks >/dev/null || fail "the databricks CLI is not installed: see docs.databricks.com/dev-tools/cli/install."
  local found
  found="$(databricks --version 2>/dev/null | grep -oE '[0-9]+\.[0-9]+\.[0-9]+' | head -n 1 || true)"
  [ -n "$found" ] || fail "databricks is the legacy CLI here: install the new one, version $LEAST_CLI or later."
  [ "$(printf '%s\n' "$LEAST_CLI" "$found" | sort -V | head -n 1)" = "$LEAST_CLI" ] ||
    fail "the databricks CLI is version $found: install $LEAST_CLI or later."
  databricks current-user me >/dev/null 2>&1 ||
    fail "not signed in to ${DATABRICKS_HOST:-the workspace}: run 'databricks auth login', or set the credentials that CI uses."
}

check_secrets() {
  local scope="${BUNDLE_VAR_secret_scope:-medicaid}"
  # --output json, because the table of names is cut on a narrow terminal.
  databricks secrets list-secrets "$scope" --output json 2>/dev/null | grep -q '"providers-url"' ||
    fail "the secret scope $scope has no key providers-url: run 'databricks secrets create-scope $scope' and 'databricks secrets put-secret $scope providers-url'."
}

confirm() {
  if [ "$environment" != prod ] || $confirmed || $dry_run; then return; fi
  [ -t 0 ] || fail "prod is deployed only when confirmed: add --yes."
  local answer
  read -r -p "Deploy to prod on ${DATABRICKS_HOST:-$cloud}? Type prod to go on: " answer
  [ "$answer" = prod ] || fail "not confirmed, nothing was deployed."
}

deploy_jobs() {
  if ! $dry_run; then check_secrets; fi
  # An experiment's folder is not made with it.
  run databricks workspace mkdirs /Medicaid
  run databricks bundle validate --strict -t "$target"
  run databricks bundle deploy -t "$target"
}

deploy_serving() {
  local model="${BUNDLE_VAR_model:-high_risk_predictor}" version="<champion>"
  local name="claims_$environment.models.$model"
  if ! $dry_run; then
    version="$(databricks model-versions get-by-alias "$name" champion --output json 2>/dev/null |
      grep -oE '"version": *[0-9]+' | grep -oE '[0-9]+' | head -n 1 || true)"
    [ -n "$version" ] || fail "$name has no champion: run the job model_training; monitoring.model_decisions says what the gate found."
  fi
  cd "$HERE/deploy/serving"
  run databricks bundle validate --strict -t "$environment" --var "champion_version=$version"
  run databricks bundle deploy -t "$environment" --var "champion_version=$version"
}

read_options "$@"
choose_cloud
check_variables
if ! $dry_run; then check_cli; fi
confirm
cd "$HERE"
if $serving; then deploy_serving; else deploy_jobs; fi
