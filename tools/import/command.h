// `steerctl import ...`: reads an input, writes the configuration, says the notes.
//
// kExitDone: written, with notes (on standard error and in the configuration) or without. kExitRejected: the input cannot be
// read. kExitFailed: the output cannot be written. A sentence says why.
#pragma once

#include <string>

#include "matchers/exit_codes.h"

namespace steer::importing {

struct ImportOptions {
    std::string kind;    // routeros, corefile, dnsmasq, forgedns, mosdns
    std::string file;    // "-": standard input
    std::string output;  // empty: standard output
    bool force = false;  // a file that is there is replaced

    // Of --live.
    std::string router, user = "admin", password_file, ca, pin;
    bool tls = false, anonymous = false;
};

ExitCode run_import(const ImportOptions& options);

}  // namespace steer::importing
