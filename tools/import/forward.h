// Upstreams and servers, as all imports write them.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "tools/import/note.h"
#include "tools/import/sheet.h"

namespace steer::importing {

// Keys of `upstreams[]`; an empty text is not imported.
struct Upstream {
    std::string addr, dial_addr, timeout, idle_timeout, max_conns, device;
    bool unverified = false;
    std::vector<Note> notes;
};

// A `forward`; without upstreams it uses the DNS servers of this host.
struct Forward {
    std::string tag, policy, bootstrap, resolv_file, concurrent, max_queries, total_timeout;
    std::vector<Upstream> upstreams;
    bool is_local = false;  // it is asked about names under .local, too
    std::vector<Note> notes;
};

// More than 32 upstreams are left out, with a note.
void write_forward(Sheet& sheet, const Forward& forward);
// Only its arguments, at the current depth.
void write_forward_args(Sheet& sheet, const Forward& forward);

// A udp_server and a tcp_server on ADDRESS:PORT, numbered from `number` on if that is not 0.
void write_servers(Sheet& sheet, const std::string& listen, const std::string& entry,
                   unsigned number = 0, const std::string& max_connections = {});

}  // namespace steer::importing
