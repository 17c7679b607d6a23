#include "control/config/sections/server_rows.h"

namespace steer::config {
namespace {

// A file that is watched like other files of the configuration.
void read_watched(Reading& in, const Node& node, const Place& place, std::string& out) {
    std::string path;
    if (!read_value(in, node, place, {}, path)) return;
    out = in.resolve(path, place.line);
    in.settings().opened.push_back(out);
}

}  // namespace

void read_server_cert(Reading& in, const Node& node, const Place& place, ServerTls& out) {
    read_watched(in, node, place, out.cert);
}

void read_server_key(Reading& in, const Node& node, const Place& place, ServerTls& out) {
    read_watched(in, node, place, out.key);
}

void read_server_client_ca(Reading& in, const Node& node, const Place& place, ServerTls& out) {
    read_watched(in, node, place, out.client_ca);
}

void read_server_require(Reading& in, const Node& node, const Place& place, ServerTls& out) {
    read_value(in, node, place, {}, out.require_client_cert);
}

void read_server_early_data(Reading& in, const Node& node, const Place& place, StreamServer& out) {
    read_value(in, node, place, {}, out.tls.early_data);
}

void check_early_data(Reading& in, const Node& args, const Plugin& plugin,
                      const StreamServer& server) {
    if (!server.tls.early_data) return;
    const int line = args.find("early_data")->line;
    if (!server.tls.client_ca.empty()) {
        in.report().error(line, "'early_data' of " + owner_of(plugin) +
                                    " contradicts 'client_ca', because a client shows its "
                                    "certificate later: remove one of them");
    } else if (server.is_over_tcp() && !server.has_http3()) {
        in.report().warn(line, "'early_data' of " + owner_of(plugin) +
                                   " has no effect without HTTP/3 ('enable_http3', 'cert' and "
                                   "'key')");
    }
}

void check_server(Reading& in, const Node& args, const Plugin& plugin, const StreamServer& server) {
    const auto needs = [&](std::string_view key, std::string_view other) {
        for (const Entry& entry : args.entries) {
            const bool empty = entry.value.is_text() && entry.value.text.empty();
            if (entry.key != key || empty) continue;
            in.report().error(entry.line, owner_of(plugin) + " has '" + std::string(key) +
                                              "' but not '" + std::string(other) +
                                              "': write both or neither");
        }
    };
    if (!server.tls.cert.empty() && server.tls.key.empty()) needs("cert", "key");
    if (server.tls.cert.empty()) {
        needs("key", "cert");
        needs("client_ca", "cert");
    }
    if (server.tls.require_client_cert && server.tls.client_ca.empty())
        needs("require_client_cert", "client_ca");
}

}  // namespace steer::config
