/** What a caller may do. */
export type Access = 'read' | 'write'
