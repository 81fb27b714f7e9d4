declare const atomicdbRelease: string | undefined

/** The version of this package; '' if it runs from its sources. The build puts it in. */
export const release: string = typeof atomicdbRelease === 'undefined' ? '' : atomicdbRelease
