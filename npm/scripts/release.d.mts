export function changesOf(changelog: string, version: string): { date: string | undefined; text: string }
export function faultsOf(files: string[], manifest: object): string[]
