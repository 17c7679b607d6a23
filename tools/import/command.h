// `steerctl import ...`: reads an input, writes the configuration, says the notes.
//
// Exit 0: written, with notes (on standard error and in the configuration) or without; 2: the input
// cannot be read, or the output not be written, which a sentence says.
#pragma once

#include <string>

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

int run_import(const ImportOptions& options);

}  // namespace steer::importing
