// Where the blocks of a Corefile listen, and which of them answers what there.
//
// One server for each transport, address and port, as CoreDNS makes them: a block is at the ports of
// its keys, on the addresses of its `bind`, on all without one.
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
    // Of TLS and HTTPS, from `tls CERT KEY [CA]` of its blocks.
    std::string cert, key, client_ca;
    bool requires_clients = false;
    std::size_t entry = 0;  // in CoreServers::entries
};

struct CoreServers {
    std::vector<CoreServer> all;  // those of port 53 first
    std::vector<std::vector<CoreZone>>
        entries;  // zones that servers have in common, without the same twice
    std::vector<Note> notes;
};

// Whether a file is there: it is not opened.
using FileTest = std::function<bool(const std::string& path)>;

// False: the files of a TLS server are not on this machine, so it cannot answer clients.
bool has_certificate(const CoreServer& server, const FileTest& is_there);

CoreServers read_core_servers(const Corefile& from);

// `number`: of their tags, 0 for none. One whose certificate is not there is written as a comment.
void write_core_server(Sheet& sheet, const CoreServer& server, const std::string& entry,
                       unsigned number, const FileTest& is_there);

}  // namespace steer::importing
