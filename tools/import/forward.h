// Upstreams and servers in the form that all imports write.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "tools/import/note.h"
#include "tools/import/sheet.h"

namespace steer::importing {

// Keys of `upstreams[]`; an empty text is not written.
struct Upstream {
    std::string addr, dial_addr, timeout, idle_timeout, max_conns, device;
    bool unverified = false;
    std::vector<Note> notes;
};

// A `forward`; without upstreams it uses the DNS servers of this host.
struct Forward {
    std::string tag, policy, bootstrap, resolv_file, concurrent, max_queries, total_timeout;
    std::vector<Upstream> upstreams;
    bool is_local = false;  // names under .local go to it as well
    std::vector<Note> notes;
};

// Writes at most 32 upstreams; a note lists the others.
void write_forward(Sheet& sheet, const Forward& forward);
// Writes only the arguments, at the current depth.
void write_forward_args(Sheet& sheet, const Forward& forward);

// Writes a udp_server and a tcp_server on ADDRESS:PORT, numbered from `number` if that is not 0.
void write_servers(Sheet& sheet, const std::string& listen, const std::string& entry,
                   unsigned number = 0, const std::string& max_connections = {});

}  // namespace steer::importing
