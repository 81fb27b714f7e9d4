/** The path of a Node that has node:sqlite. */
export const newerNode: string
