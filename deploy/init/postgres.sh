#!/bin/bash
# Init script of a Databricks cluster: a PostgreSQL server on the driver, for trials only. It ends with the cluster, and
# so does what it holds. How to use it: docs/databricks.md, "Trial database on the driver".
#
#   CLAIMS_PROVIDERS_URL  postgresql://{user}:{password}@localhost:{port}/{database}, from a secret scope; it says what to make
#   CLAIMS_PROVIDERS_CSV  a file of providers to load; may be unset
#   CLAIMS_POSTGRES_HOME  folder of the server; default /var/lib/claims-postgres
#
# Running it again starts what is there, sets the password anew and leaves exactly the rows of the file.
set -euo pipefail

stop() {
    echo "postgres.sh: $1" >&2
    exit 1
}

if [[ ${DB_IS_DRIVER:-TRUE} != TRUE ]]; then
    exit 0
fi

# The secret goes nowhere near a command line, which everybody on the machine can read.
name='[a-z_][a-z0-9_]*' letters='[A-Za-z0-9._~-]+'
url="^postgres(ql)?://(${name}):(${letters})@(localhost|127\.0\.0\.1)(:([0-9]+))?/(${name})(\?.*)?\$"
[[ ${CLAIMS_PROVIDERS_URL:-} =~ $url ]] || stop \
    "CLAIMS_PROVIDERS_URL is not set, or not postgresql://{user}:{password}@localhost:{port}/{database} with letters, digits and ._~- in the password: set it from a secret scope."
user=${BASH_REMATCH[2]} password=${BASH_REMATCH[3]} port=${BASH_REMATCH[6]:-5432} database=${BASH_REMATCH[7]}
[[ $user != postgres ]] || stop "CLAIMS_PROVIDERS_URL names the user postgres, which is the server's own: name another."
unset CLAIMS_PROVIDERS_URL

home=${CLAIMS_POSTGRES_HOME:-/var/lib/claims-postgres}
csv=${CLAIMS_PROVIDERS_CSV:-}
[[ -z $csv || -r $csv ]] || stop "$csv can't be read: correct CLAIMS_PROVIDERS_CSV, or unset it and load the file later."
export LC_ALL=C.UTF-8

programs() {
    local found
    found=$(find /usr/lib/postgresql -path '*/bin/initdb' 2>/dev/null | sort -V | tail -n 1)
    if [[ -n $found ]]; then
        dirname "$found"
    fi
}

bin=$(programs)
if [[ -z $bin ]]; then
    install_packages() {
        DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$@" >/dev/null
    }
    apt-get update -qq
    install_packages postgresql-common
    # The package would else make a server of its own and start it.
    echo "create_main_cluster = false" >/etc/postgresql-common/createcluster.conf
    install_packages postgresql postgresql-client
    bin=$(programs)
    [[ -n $bin ]] || stop "apt-get installed no PostgreSQL: install it in the cluster's image."
fi
id -u postgres >/dev/null 2>&1 || useradd --system --shell /bin/false postgres

as_server() {
    (cd "$home" && exec runuser -u postgres -- "$@")
}

install -d -m 700 -o postgres -g postgres "$home"
if [[ ! -f $home/data/PG_VERSION ]]; then
    as_server "$bin/initdb" --pgdata="$home/data" --encoding=UTF8 --auth-local=peer --auth-host=scram-sha-256 >/dev/null
fi
if ! as_server "$bin/pg_ctl" --pgdata="$home/data" status >/dev/null; then
    options="-p $port -c listen_addresses=127.0.0.1 -c unix_socket_directories=$home -c password_encryption=scram-sha-256"
    as_server "$bin/pg_ctl" --pgdata="$home/data" --log="$home/server.log" --wait --options="$options" start >/dev/null ||
        stop "PostgreSQL did not start on port $port: see $home/server.log."
fi

sql() {
    as_server "$bin/psql" --host="$home" --port="$port" --no-psqlrc --quiet --tuples-only --no-align \
        --set=ON_ERROR_STOP=1 --set=SHOW_CONTEXT=never "$@"
}

# A statement that fails would else be written to the server's log, with the password.
sql --dbname=postgres <<SQL
SET log_min_error_statement = panic;
SELECT 'CREATE ROLE $user' WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = '$user') \gexec
ALTER ROLE $user LOGIN PASSWORD '$password';
SELECT 'CREATE DATABASE $database OWNER $user' WHERE NOT EXISTS (SELECT FROM pg_database WHERE datname = '$database') \gexec
SQL

if [[ -n $csv ]]; then
    columns=$(head -n 1 "$csv" | sed 's/^\xef\xbb\xbf//' | tr -d '\r" ')
    [[ $columns =~ ^[a-z_0-9,]+$ ]] || stop "$csv: its first line is no list of column names: name them as the landing contract does."
    {
        cat <<SQL
BEGIN;
SET client_min_messages = warning;
SET ROLE $user;
CREATE TABLE IF NOT EXISTS providers (provider_id text PRIMARY KEY, provider_name text, provider_type text,
    specialty text, npi text, taxonomy_code text, address_line1 text, city text, state text, zip_code text,
    active_from date, active_to date);
DELETE FROM providers;
COPY providers ($columns) FROM STDIN WITH (FORMAT csv, HEADER);
SQL
        # awk gives a last line the end that it may lack: it would swallow the mark below.
        tr -d '\r' <"$csv" | sed '1s/^\xef\xbb\xbf//' | awk 1
        printf '%s\n' '\.' 'COMMIT;'
    } | sql --dbname="$database" || stop "$csv could not be loaded; the table is as it was."
    echo "postgres.sh: $(sql --dbname="$database" --command='SELECT count(*) FROM providers') providers loaded."
fi
