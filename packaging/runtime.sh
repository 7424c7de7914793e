#!/usr/bin/env bash
# Makes a folder that runs the mini-server without a JDK: a Java runtime of the modules that it needs, the jar, and its archive
# (see archive.sh). The folder must stay where it is made.
#   FOLDER/bin/java @FOLDER/java.options -jar FOLDER/broxy-mini-server.jar
# usage: runtime.sh JAR FOLDER      with JAVA_HOME, or the JDK on the path
set -euo pipefail

jar=$1
folder=$2
bin=${JAVA_HOME:+$JAVA_HOME/bin/}

# What jdeps cannot see: signals, and elliptic curves for TLS before JDK 22.
unseen=jdk.unsupported,jdk.crypto.ec

needed=$("${bin}jdeps" --ignore-missing-deps --multi-release 17 --print-module-deps "$jar")
"${bin}jlink" --add-modules "$needed,$unseen" --strip-java-debug-attributes --no-header-files --no-man-pages \
    --output "$folder"
install -m 644 "$jar" "$folder/broxy-mini-server.jar"
"$(dirname "${BASH_SOURCE[0]}")/archive.sh" "$folder/broxy-mini-server.jar" "$folder/bin/java"
