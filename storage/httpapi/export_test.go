package httpapi

// Routes returns the methods and paths that are served.
func Routes() (all []string) {
	for _, route := range (&Handler{}).routes() {
		all = append(all, route.method+" "+route.path)
	}
	return append(all, "GET /health")
}
