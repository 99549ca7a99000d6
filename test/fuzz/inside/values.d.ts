export function makeValues(watch: { own: string; dead: string; touched: number }): Record<string, () => unknown>;
