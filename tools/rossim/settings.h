// The command line of rossim.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "tools/rossim/router.h"

namespace rossim {

struct TlsSettings {
    std::string certificate_file;  // empty: a self-signed one is made at start
    std::string key_file;
    std::string write_certificate_file;
    bool anonymous = false;  // no certificate: anonymous Diffie-Hellman, TLS 1.2
};

struct Prefill {
    Family family;
    std::string list;
    std::size_t count;
};

struct RouterSettings {
    Options options;
    std::optional<std::uint16_t> port;  // 0: any free one
    std::optional<std::uint16_t> tls_port;
};

struct Settings {
    std::string address = "127.0.0.1";
    std::vector<RouterSettings> routers;
    std::vector<Prefill> prefills;
    TlsSettings tls;
    std::size_t segment_bytes = 0;  // most bytes of one send(); 0: all available
    std::string journal_file;
    std::string control_socket;
};

struct ControlRequest {
    std::string socket;
    std::string line;
};

// The task of main(): exactly one of the three, or only `exit_code`.
struct Invocation {
    std::optional<Settings> run;
    std::optional<ControlRequest> control;
    std::string print;
    int exit_code = 0;
};

// Parses the command line and prints usage errors. Throws std::runtime_error with a sentence for a
// bad value.
Invocation read_command_line(int argc, char** argv);

}  // namespace rossim
