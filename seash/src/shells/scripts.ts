import { hintFor } from '@potluck/protocol';
import { UsageError } from '../errors.ts';

/** Shells that a completion can be sourced by. */
export const SHELLS: readonly string[] = ['bash', 'zsh', 'fish'];

/**
 * An offer that goes on is said twice, the second time with more: bash closes the quotes behind a single one, and the
 * line of commands would end there. No word of a line in '...' can have a "'".
 */
const BASH = `# seash completion for bash: put this into ~/.bashrc:  source <(seash completion bash)
_seash() {
  local current="\${COMP_WORDS[COMP_CWORD]}" quote='' offer
  case "$current" in
    \\"*) quote='"' ;;
    \\'*) quote="'" ;;
  esac
  COMPREPLY=()
  while IFS= read -r offer; do
    [[ $quote == "'" && $offer == *"'"* ]] && continue
    COMPREPLY+=("$offer")
  done < <(command seash --complete "\${COMP_WORDS[@]:1:COMP_CWORD-1}" "\${current#"$quote"}" 2>/dev/null)
  case "\${COMP_WORDS[COMP_CWORD-1]}" in
    -c | --command)
      compopt -o nospace 2>/dev/null
      [[ \${#COMPREPLY[@]} -eq 1 ]] && COMPREPLY+=("\${COMPREPLY[0]}...")
      ;;
    *) compopt -o filenames 2>/dev/null ;;
  esac
}
complete -F _seash seash
`;

const ZSH = `#compdef seash
# seash completion for zsh: put this into ~/.zshrc, after compinit:  source <(seash completion zsh)
_seash() {
  local -a offers
  local current="\${(Q)PREFIX}"
  offers=("\${(@f)$(command seash --complete "\${(@Q)words[2,CURRENT-1]}" "$current" 2>/dev/null)}")
  offers=(\${offers:#})
  (( \${#offers} )) || return 1
  if [[ \${words[CURRENT-1]} == (-c|--command) ]]; then
    compadd -U -S '' -- "\${offers[@]}"
  else
    compadd -U -f -S '' -- "\${(@M)offers:#*/}"
    compadd -U -- "\${(@)offers:#*/}"
  fi
}
(( \${+functions[compdef]} )) && compdef _seash seash
`;

const FISH = `# seash completion for fish:  seash completion fish > ~/.config/fish/completions/seash.fish
function __seash_offers
    set -l current (commandline -ct | string trim --left --chars='"\\'')
    set -l words (commandline -opc)
    set -e words[1]
    command seash --complete $words "$current" 2>/dev/null
end
complete -c seash -f -a '(__seash_offers)'
`;

const SCRIPTS: ReadonlyMap<string, string> = new Map([
  ['bash', BASH],
  ['zsh', ZSH],
  ['fish', FISH],
]);

/** What a user's own shell sources so that its Tab key knows the words of seash. @throws UsageError USAGE */
export function completionScript(words: readonly string[]): string {
  const [shell = '', ...more] = words;
  const script = SCRIPTS.get(shell);
  if (script !== undefined && more.length === 0) return script;
  const got = words.length === 0 ? 'no shell' : `"${words.join(' ')}"${hintFor(shell, SHELLS)}`;
  throw new UsageError('USAGE', `expected "seash completion bash", "zsh" or "fish", got ${got}`);
}
