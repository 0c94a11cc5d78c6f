#!/usr/bin/env bash
# Says plainly what is missing on this machine and the command that installs it. Usage: need.sh c|python|java|network|rust
set -euo pipefail

# install DEBIAN-PACKAGES BREW-FORMULAE: the command for this system's package manager.
install() {
  if command -v apt-get >/dev/null; then echo "sudo apt-get install -y $1"
  elif command -v dnf >/dev/null; then echo "sudo dnf install -y $3"
  else echo "brew install $2"; fi
}

missing() {
  echo "make: $1; install it with: $2" >&2
  exit 1
}

case "${1:-}" in
  c)
    command -v "${CC:-cc}" >/dev/null || command -v gcc >/dev/null || command -v clang >/dev/null ||
      missing "a C and C++ compiler is needed to link DuckDB" "$(install 'gcc g++' gcc 'gcc gcc-c++')"
    ;;
  python)
    command -v python3 >/dev/null ||
      missing "Python 3.11 or newer is needed for the oracle and the Python clients" "$(install 'python3 python3-venv' python 'python3')"
    python3 -c 'import sys; sys.exit(sys.version_info < (3, 11))' ||
      missing "python3 is $(python3 -V 2>&1), and 3.11 or newer is needed" "$(install 'python3.11 python3.11-venv' python 'python3.11')"
    python3 -c 'import venv, ensurepip' 2>/dev/null ||
      missing "Python's venv module is needed" "$(install python3-venv python python3)"
    ;;
  java)
    command -v mvn >/dev/null || missing "Maven is needed for the JDBC client" "$(install maven maven maven)"
    command -v java >/dev/null || missing "a JDK 17 is needed for the JDBC client" "$(install openjdk-17-jdk-headless openjdk@17 java-17-openjdk-devel)"
    command -v javac >/dev/null || [ -x "${JAVA_HOME:-/nowhere}/bin/javac" ] ||
      missing "a JDK 17 (not only a JRE) is needed for the JDBC client" "$(install openjdk-17-jdk-headless openjdk@17 java-17-openjdk-devel)"
    ;;
  network)
    [ "$(uname)" != Linux ] || command -v ip >/dev/null ||
      missing "the ip command is needed for hosts of a test's own" "$(install iproute2 iproute2mac iproute)"
    ;;
  rust)
    command -v cargo >/dev/null || missing "Rust 1.88 or newer is needed for the Rust client" "$(install 'cargo rustc' rust 'cargo rust')"
    ;;
  *)
    echo "usage: need.sh c|python|java|network|rust" >&2
    exit 2
    ;;
esac
