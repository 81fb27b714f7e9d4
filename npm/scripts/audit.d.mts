/** What an answer of `npm audit --json` means. */
export function verdict(answer: string, least: 'info' | 'low' | 'moderate' | 'high' | 'critical'): { line: string; failed: boolean }
