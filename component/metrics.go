package component

import "github.com/prometheus/client_golang/prometheus"

var (
	connected = prometheus.NewGaugeVec(prometheus.GaugeOpts{
		Name: "palabre_component_connected", Help: "Whether a component has a connection: of ours to a server, or of others to this one."}, []string{"domain"})
	stanzas = prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "palabre_component_stanzas_total", Help: "Stanzas of components, by where these live and direction as the component sees it."}, []string{"place", "direction"})
	refused = prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "palabre_component_refused_total", Help: "Stanzas refused because too many waited, by where the component lives."}, []string{"place"})
)

// Collectors are the figures of all components, once for a process.
func Collectors() []prometheus.Collector { return []prometheus.Collector{connected, stanzas, refused} }

// Collectors are the figures of what waits for this component.
func (c *Component) Collectors() []prometheus.Collector {
	return []prometheus.Collector{prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: "palabre_component_waiting_stanzas", Help: "Stanzas that wait to be handled."},
		func() float64 { return float64(c.lanes.waiting()) })}
}
