// Reads the frames of a capture file, pcap or pcapng, by libpcap.
#pragma once

#include <cstdint>
#include <string>

#include "captured_queries.h"

namespace steerctl {

struct CaptureFile {
    std::string error;            // why nothing was read; empty: read
    std::string read_error;       // why it was not read to its end; empty: it was
    double from_s = 0, to_s = 0;  // times of its first and last frame, since 1970
};

// `file`: a path; `-` is standard input.
CaptureFile read_capture(const std::string& file, CapturedQueries& queries);

}  // namespace steerctl
