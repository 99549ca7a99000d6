import type { Request } from 'express';

/** For what a donor's archive is made, now or some day. */
export const SYSTEMS = ['Linux (x64)', 'Linux (ARM)', 'macOS', 'Windows', 'Android', 'iPhone or iPad'] as const;
export type System = (typeof SYSTEMS)[number];

/** The one that there is an archive for. */
export const SUPPORTED: System = 'Linux (x64)';

/** What can be done on each of the others today. */
export const INSTEAD: Readonly<Record<System, string>> = {
  'Linux (x64)': '',
  'Linux (ARM)': 'An archive for ARM will come. Until then, any 64-bit Intel or AMD machine with Linux will do.',
  macOS:
    'An archive for macOS will come. Until then, run the Linux archive in a virtual machine with Linux (x64), for example by UTM or Lima on an Intel Mac.',
  Windows:
    'An archive for Windows will come. Until then, the Linux archive runs in WSL 2: open PowerShell, say “wsl --install”, and follow the three commands below in the window that it opens.',
  Android: 'Phones are not taken yet. Open this link on a computer, or send it to one.',
  'iPhone or iPad': 'Phones are not taken yet. Open this link on a computer, or send it to one.',
};

/** By client hints where the browser gives them, else by what it calls itself; undefined when neither says. */
export function systemOf(request: Pick<Request, 'get'>): System | undefined {
  const hint = request.get('sec-ch-ua-platform')?.replaceAll('"', '') ?? '';
  const arch = request.get('sec-ch-ua-arch')?.replaceAll('"', '') ?? '';
  const agent = request.get('user-agent') ?? '';
  if (/android/i.test(hint) || /android/i.test(agent)) return 'Android';
  if (/ios/i.test(hint) || /iphone|ipad/i.test(agent)) return 'iPhone or iPad';
  if (/windows/i.test(hint) || /windows/i.test(agent)) return 'Windows';
  if (/macos/i.test(hint) || /mac os x|macintosh/i.test(agent)) return 'macOS';
  if (!/linux|chrom(e|ium) os/i.test(hint) && !/linux|cros/i.test(agent)) return undefined;
  return arch === 'arm' || /aarch64|armv\d/i.test(agent) ? 'Linux (ARM)' : 'Linux (x64)';
}
