// `steerctl import ...`: reads an input, makes the configuration and its notes, and writes it to a
// file if one is named.
//
// Exit codes: kExitDone: made, with or without notes (the configuration also contains them).
// kExitRejected: the input cannot be read. kExitFailed: the output cannot be written. `error`
// gives the cause.
#pragma once

#include <string>
#include <vector>

#include "matchers/exit_codes.h"

namespace steer::importing {

struct ImportOptions {
    // routeros, corefile, dnsmasq, forgedns, mosdns, unbound, kresd, adguardhome, pihole, technitium
    std::string kind;
    std::string file;                     // "-": standard input
    std::vector<std::string> more_files;  // of unbound
    std::string output;                   // empty: standard output
    bool force = false;                   // an existing file is replaced

    // Arguments of --live.
    std::string router, user = "admin", password_file, ca, pin;
    bool tls = false, anonymous = false;
};

struct ImportResult {
    ExitCode code = kExitDone;
    std::string error;  // a sentence if it is not kExitDone
    std::string yaml;   // empty: it is in the file `output`
    struct PlacedNote {
        std::string place;  // "FILE:12", as editors read it
        std::string text;
    };
    std::vector<PlacedNote> notes;
};

ImportResult run_import(const ImportOptions& options);

}  // namespace steer::importing
