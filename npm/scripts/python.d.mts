/** The path of the Python for tests; the variable PYTHON overrides it. */
export const pythonPath: string
