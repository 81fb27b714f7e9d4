// Go takes a function without a body only where there is a file of assembly.
