# Finds a JDK 25 or newer and exports it as JAVA_HOME. Meant to be sourced by a POSIX shell; ends the shell with 1 if
# there is none.
#
# It reads the `release` file that every JDK carries instead of starting each java, so it costs a few milliseconds.
# Needs nothing but the shell and, when `java` on the PATH is a link, `readlink` of coreutils.

bywash_jdk_minimum=25

# True if $1 is the home of a JDK (not a bare runtime) that is new enough.
bywash_is_jdk() {
    [ -x "$1/bin/java" ] && [ -x "$1/bin/javac" ] && [ -r "$1/release" ] || return 1
    while IFS='=' read -r bywash_key bywash_value || [ -n "$bywash_key" ]; do
        [ "$bywash_key" = JAVA_VERSION ] || continue
        bywash_value=${bywash_value#\"}
        bywash_value=${bywash_value%%[!0-9]*}
        [ -n "$bywash_value" ] && [ "$bywash_value" -ge "$bywash_jdk_minimum" ]
        return
    done <"$1/release"
    return 1
}

# Prints the home of the `java` on the PATH, links resolved; nothing if there is none.
bywash_java_on_path() {
    bywash_java=$(command -v java 2>/dev/null) || return 0
    if [ -L "$bywash_java" ]; then
        bywash_java=$(readlink -f "$bywash_java") || return 0
    fi
    case $bywash_java in
    */bin/java) printf '%s\n' "${bywash_java%/bin/java}" ;;
    esac
}

# Sets JAVA_HOME to the first fitting home. The order: what the user named, then what is on the PATH, then the usual
# places.
bywash_find_jdk() {
    for bywash_home in "${JAVA25_HOME-}" "${JAVA_HOME-}" "$(bywash_java_on_path)" \
        /usr/lib/jvm/* "${HOME-}"/.sdkman/candidates/java/* "${HOME-}"/.jdks/* /opt/*jdk* /opt/java/*; do
        [ -n "$bywash_home" ] || continue
        if bywash_is_jdk "$bywash_home"; then
            JAVA_HOME=$bywash_home
            export JAVA_HOME
            return 0
        fi
    done
    return 1
}

if ! bywash_find_jdk; then
    echo "Bywash needs a JDK $bywash_jdk_minimum or newer (with javac), and none was found in \$JAVA25_HOME," \
        "\$JAVA_HOME, the java on the PATH, /usr/lib/jvm, ~/.sdkman, ~/.jdks, /opt/*jdk* or /opt/java:" \
        "install one (for example from https://adoptium.net or with your package manager) or set JAVA_HOME to one." >&2
    exit 1
fi
