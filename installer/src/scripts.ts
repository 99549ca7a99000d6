/** The name of a platform in archives and sentences: `linux-x64`. */
export const PLATFORM = `${process.platform}-${process.arch}`;

const MACHINE: Readonly<Record<string, string>> = { x64: 'x86_64', arm64: 'aarch64' };

/**
 * The scripts need to know nothing but where they lie. Settings of the donor's own Node must not leak into ours.
 * `readlink -f` lets a symbolic link to a script work.
 */
const PREAMBLE = `here=$(CDPATH= cd -- "$(dirname -- "$(readlink -f -- "$0")")" && pwd) || exit 1
unset NODE_OPTIONS NODE_PATH NODE_EXTRA_CA_CERTS`;

/** `install.sh` at the top of the archive. */
export function installScript(): string {
  const wanted = `Linux-${MACHINE[process.arch] ?? process.arch}`;
  return `#!/bin/sh
# Gives a share of this machine to the potluck: "./install.sh --help" lists the options.
found="$(uname -s)-$(uname -m)"
[ "$found" = "${wanted}" ] || { echo "install.sh: expected ${wanted}, got $found" >&2; exit 1; }
${PREAMBLE}
"$here/bin/node" --version >/dev/null 2>&1 || {
  echo "install.sh: expected a system that runs $here/bin/node (glibc 2.28 or later, a disk that allows programs), got one that does not" >&2
  exit 1
}
exec "$here/bin/node" "$here/lib/installer.mjs" install "$@"
`;
}

/** `DIR/potluck` of an installation. */
export function controlScript(): string {
  return `#!/bin/sh
# potluck start|stop|status|uninstall
${PREAMBLE}
exec "$here/bin/node" "$here/lib/installer.mjs" "$@"
`;
}
