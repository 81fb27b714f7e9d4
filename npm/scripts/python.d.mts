/** Its path; the variable PYTHON overrides it. */
export const pythonPath: string
