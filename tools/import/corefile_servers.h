// The servers of a Corefile, and the blocks that answer at each.
//
// There is one server for each transport, address and port, as in CoreDNS: a block listens on the
// ports of its keys, at the addresses of its `bind`, or at all addresses without `bind`.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "tools/import/corefile.h"
#include "tools/import/sheet.h"

namespace steer::importing {

enum class CoreTransport : std::uint8_t { dns, tls, https };

// A zone of a block at a server.
struct CoreZone {
    std::string name;  // empty: the root
    std::size_t block = 0;
    bool operator==(const CoreZone&) const = default;
};

struct CoreServer {
    CoreTransport transport = CoreTransport::dns;
    std::string address;  // empty: all
    std::uint64_t port = 53;
    std::vector<CoreZone> zones;  // the longest first
    // For TLS and HTTPS, from `tls CERT KEY [CA]` of the blocks.
    std::string cert, key, client_ca;
    bool requires_clients = false;
    std::size_t entry = 0;  // in CoreServers::entries
};

struct CoreServers {
    std::vector<CoreServer> all;                 // those of port 53 first
    std::vector<std::vector<CoreZone>> entries;  // zones that servers share, without repetitions
    std::vector<Note> notes;
};

// Returns whether a file exists, without opening it.
using FileTest = std::function<bool(const std::string& path)>;

// Returns false if the files of a TLS server are not on this machine, so that it cannot answer
// clients.
bool has_certificate(const CoreServer& server, const FileTest& is_there);

CoreServers read_core_servers(const Corefile& from);

// `number`: a number for the tags; 0: none. A server without its certificate is written as a
// comment.
void write_core_server(Sheet& sheet, const CoreServer& server, const std::string& entry,
                       unsigned number, const FileTest& is_there);

}  // namespace steer::importing
