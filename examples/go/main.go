// Lists the table of a director, and with -drain changes it: liblvs through cgo.
//
//	go build -o lvs . && ./lvs -rules ../c/cluster.rules
//	./lvs -rules ../c/cluster.rules -drain 198.51.100.1:8080
//	./lvs -kernel                                # with CAP_NET_ADMIN
//
// pkg-config has to find lvs.pc.
package main

/*
#cgo pkg-config: lvs
#include <lvs.h>
#include <stdlib.h>
*/
import "C"

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"unsafe"
)

// Error is why a call failed.
type Error struct {
	Status  C.lvs_status
	Cause   C.lvs_cause
	Message string
}

func (e *Error) Error() string { return e.Message }

// ErrNotFound matches whatever is not there, with errors.Is.
var ErrNotFound = &Error{Status: C.LVS_STATUS_NOT_FOUND, Message: "not found"}

// Is compares what came of the calls.
func (e *Error) Is(other error) bool {
	status, ok := other.(*Error)
	return ok && status.Status == e.Status
}

// The details belong to Go after this: the library's error is freed.
func failed(status C.lvs_status, err **C.lvs_error) error {
	if status == C.LVS_STATUS_OK {
		return nil
	}
	why := &Error{status, C.lvs_cause(C.lvs_error_cause(*err)), C.GoString(C.lvs_error_message(*err))}
	C.lvs_error_free(*err)
	*err = nil
	return why
}

// Director is the kernel's table or an embedded one. Calls from any number of goroutines take turns.
type Director struct{ handle *C.lvs_director }

// OpenKernel opens the running kernel's table.
func OpenKernel() (*Director, error) {
	var err *C.lvs_error
	var handle *C.lvs_director
	if e := failed(C.lvs_director_open_kernel(nil, &handle, &err), &err); e != nil {
		return nil, e
	}
	return &Director{handle}, nil
}

// OpenRules opens an embedded director with what ipvsadm's rules say.
func OpenRules(text []byte) (*Director, error) {
	var err *C.lvs_error
	var rules *C.lvs_rules
	var batch *C.lvs_batch
	director := &Director{}
	chars := C.CBytes(text)
	defer C.free(chars)
	defer func() { C.lvs_batch_free(batch); C.lvs_rules_free(rules) }()
	steps := []func() C.lvs_status{
		func() C.lvs_status {
			return C.lvs_rules_parse((*C.char)(chars), C.size_t(len(text)), nil, &rules, &err)
		},
		func() C.lvs_status { return C.lvs_batch_new(&batch, &err) },
		func() C.lvs_status { return C.lvs_rules_to_batch(rules, batch, &err) },
		func() C.lvs_status { return C.lvs_director_open_embedded(nil, &director.handle, &err) },
		func() C.lvs_status {
			return C.lvs_director_apply(director.handle, batch, C.LVS_ON_REFUSAL_STOP, nil, &err)
		},
	}
	for _, step := range steps {
		if e := failed(step(), &err); e != nil {
			director.Close()
			return nil, e
		}
	}
	return director, nil
}

// Close gives the director back. Closing twice is allowed.
func (d *Director) Close() {
	C.lvs_director_free(d.handle)
	d.handle = nil
}

// Server is a real server of a service.
type Server struct {
	Key              string
	Weight           uint32
	Active, Inactive uint32
	Connections      uint64
}

// Service is a virtual service with its servers.
type Service struct {
	Key, Scheduler string
	Connections    uint64
	Servers        []Server
}

// Services reads the whole table, in the order of the keys.
func (d *Director) Services() ([]Service, error) {
	var err *C.lvs_error
	var snapshot *C.lvs_snapshot
	if e := failed(C.lvs_director_snapshot(d.handle, &snapshot, &err), &err); e != nil {
		return nil, e
	}
	defer C.lvs_snapshot_free(snapshot)
	C.lvs_snapshot_sort(snapshot)
	var services []Service
	for i := C.size_t(0); i < C.lvs_snapshot_services_len(snapshot); i++ {
		// Macros do not reach Go: records are initialised by functions, which take the size.
		var service C.lvs_service
		var state C.lvs_service_state
		if e := failed(C.lvs_service_init(&service, C.sizeof_lvs_service, &err), &err); e != nil {
			return nil, e
		}
		if e := failed(C.lvs_service_state_init(&state, C.sizeof_lvs_service_state, &err), &err); e != nil {
			return nil, e
		}
		if e := failed(C.lvs_snapshot_service_get(snapshot, i, &service, &state, &err), &err); e != nil {
			return nil, e
		}
		one := Service{
			Key:         serviceText(&service.key),
			Scheduler:   C.GoString(&service.scheduler[0]),
			Connections: uint64(state.stats.counters.connections),
		}
		for j := C.size_t(0); j < C.lvs_snapshot_destinations_len(snapshot, i); j++ {
			var server C.lvs_destination
			var counts C.lvs_destination_state
			if e := failed(C.lvs_destination_init(&server, C.sizeof_lvs_destination, &err), &err); e != nil {
				return nil, e
			}
			if e := failed(C.lvs_destination_state_init(&counts, C.sizeof_lvs_destination_state, &err), &err); e != nil {
				return nil, e
			}
			if e := failed(C.lvs_snapshot_destination_get(snapshot, i, j, &server, &counts, &err), &err); e != nil {
				return nil, e
			}
			one.Servers = append(one.Servers, Server{
				Key:         destinationText(&server.key),
				Weight:      uint32(server.weight),
				Active:      uint32(counts.active),
				Inactive:    uint32(counts.inactive),
				Connections: uint64(counts.stats.counters.connections),
			})
		}
		services = append(services, one)
	}
	return services, nil
}

// SetWeight changes the weight of a server and nothing else of it.
func (d *Director) SetWeight(service, server string, weight uint32) error {
	var err *C.lvs_error
	var key C.lvs_service_key
	var at C.lvs_destination_key
	var record C.lvs_destination
	if e := withText(service, func(text *C.char) C.lvs_status { return C.lvs_service_key_parse(text, &key, &err) }, &err); e != nil {
		return e
	}
	if e := withText(server, func(text *C.char) C.lvs_status { return C.lvs_destination_key_parse(text, &at, &err) }, &err); e != nil {
		return e
	}
	if e := failed(C.lvs_destination_init(&record, C.sizeof_lvs_destination, &err), &err); e != nil {
		return e
	}
	if e := failed(C.lvs_director_destination(d.handle, &key, &at, &record, nil, &err), &err); e != nil {
		return e
	}
	record.weight = C.uint32_t(weight)
	return failed(C.lvs_director_update_destination(d.handle, &key, &record, &err), &err)
}

func withText(text string, call func(*C.char) C.lvs_status, err **C.lvs_error) error {
	chars := C.CString(text)
	defer C.free(unsafe.Pointer(chars))
	status := call(chars)
	return failed(status, err)
}

func serviceText(key *C.lvs_service_key) string {
	var buffer [C.LVS_SERVICE_KEY_STRLEN]C.char
	C.lvs_service_key_format(key, &buffer[0], C.size_t(len(buffer)))
	return C.GoString(&buffer[0])
}

func destinationText(key *C.lvs_destination_key) string {
	var buffer [C.LVS_DESTINATION_KEY_STRLEN]C.char
	C.lvs_destination_key_format(key, &buffer[0], C.size_t(len(buffer)))
	return C.GoString(&buffer[0])
}

func list(director *Director) error {
	services, err := director.Services()
	if err != nil {
		return err
	}
	for _, service := range services {
		fmt.Printf("%s %s: %d connections\n", service.Key, service.Scheduler, service.Connections)
		for _, server := range service.Servers {
			fmt.Printf("  %s weight %d: %d active, %d connections\n", server.Key, server.Weight, server.Active, server.Connections)
		}
	}
	return nil
}

func run() error {
	kernel := flag.Bool("kernel", false, "the running kernel's table")
	rules := flag.String("rules", "", "an embedded director with this `file`'s rules")
	drain := flag.String("drain", "", "no new connections to this `server`, in whatever service it is")
	flag.Parse()
	var director *Director
	var err error
	switch {
	case *kernel == (*rules != ""):
		flag.Usage()
		os.Exit(2)
	case *kernel:
		director, err = OpenKernel()
	default:
		var text []byte
		if text, err = os.ReadFile(*rules); err == nil {
			director, err = OpenRules(text)
		}
	}
	if err != nil {
		return err
	}
	defer director.Close()
	if *drain != "" {
		services, err := director.Services()
		if err != nil {
			return err
		}
		drained := 0
		for _, service := range services {
			switch err := director.SetWeight(service.Key, *drain, 0); {
			case err == nil:
				drained++
			case !errors.Is(err, ErrNotFound):
				return err
			}
		}
		if drained == 0 {
			return fmt.Errorf("no service has %s: %w", *drain, ErrNotFound)
		}
	}
	return list(director)
}

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "lvs:", err)
		os.Exit(1)
	}
}
