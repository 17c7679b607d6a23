// The XDP program's skeleton: libbpf's functions to open, load and end it, and its maps. Generated
// from steer_xdp.bpf.c by bpftool, and not written for our warnings.
#pragma once

#include "dataplane/port/xdp/steer_xdp.h"  // types of the maps

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wold-style-cast"
#pragma GCC diagnostic ignored "-Wconversion"
#pragma GCC diagnostic ignored "-Wsign-conversion"
#pragma GCC diagnostic ignored "-Wpedantic"
#pragma GCC diagnostic ignored "-Wunused-function"
#include "steer_xdp.skel.h"
#pragma GCC diagnostic pop
