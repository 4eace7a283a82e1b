#!/bin/bash
# Does what the public image's entry point does with the variables MYSQL_ROOT_PASSWORD, MYSQL_DATABASE, MYSQL_USER and
# MYSQL_PASSWORD: at the first start a data directory and the users, then the server in the foreground.
set -euo pipefail

if [ "${1:-}" = "" ] || [ "${1:0:1}" = - ]; then set -- mysqld "$@"; fi
if [ "$1" != mysqld ]; then exec "$@"; fi
shift
own=(--user=mysql --datadir=/var/lib/mysql --secure-file-priv=/var/lib/mysql-files --socket=/var/run/mysqld/mysqld.sock)

quoted() { # as an SQL string
    local text=${1//\\/\\\\}
    printf "'%s'" "${text//\'/\\\'}"
}

if [ ! -d /var/lib/mysql/mysql ]; then
    : "${MYSQL_ROOT_PASSWORD:?must be set to start with an empty data directory}"
    chown mysql:mysql /var/lib/mysql
    mysqld "${own[@]}" --initialize-insecure
    mysqld "${own[@]}" "$@" --skip-networking &
    server=$!
    client=(mysql --socket=/var/run/mysqld/mysqld.sock --user=root)
    until "${client[@]}" -e 'SELECT 1' > /dev/null 2>&1; do
        kill -0 "$server" || exit 1
        sleep 0.2
    done
    {
        if [ -n "${MYSQL_DATABASE:-}" ]; then echo "CREATE DATABASE \`${MYSQL_DATABASE//\`/\`\`}\`;"; fi
        if [ -n "${MYSQL_USER:-}" ]; then
            echo "CREATE USER $(quoted "$MYSQL_USER")@'%' IDENTIFIED BY $(quoted "${MYSQL_PASSWORD:?must be set with MYSQL_USER}");"
            if [ -n "${MYSQL_DATABASE:-}" ]; then
                echo "GRANT ALL ON \`${MYSQL_DATABASE//\`/\`\`}\`.* TO $(quoted "$MYSQL_USER")@'%';"
            fi
        fi
        echo "CREATE USER 'root'@'%' IDENTIFIED BY $(quoted "$MYSQL_ROOT_PASSWORD");"
        echo "GRANT ALL ON *.* TO 'root'@'%' WITH GRANT OPTION;"
        echo "ALTER USER 'root'@'localhost' IDENTIFIED BY $(quoted "$MYSQL_ROOT_PASSWORD");"
        echo "SHUTDOWN;"
    } | "${client[@]}"
    wait "$server"
fi
exec mysqld "${own[@]}" "$@"
