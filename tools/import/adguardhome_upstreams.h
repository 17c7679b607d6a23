// Upstreams of AdGuard Home: for everyone, for domains, and for single clients.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "tools/import/blocker_model.h"
#include "tools/import/policy_tree.h"

namespace steer::importing {

class AghUpstreams {
  public:
    // `dns`: the section, which must outlive this. Notes about it go to `notes`.
    AghUpstreams(const Tree& dns, std::vector<Note>& notes);

    // Returns the upstreams of everyone.
    BlockerServers everyone();
    // Returns those of one client.
    BlockerServers client(const Tree& lines, std::vector<Note>& notes);

  private:
    struct OneZone {
        std::vector<Upstream> servers;
        bool is_default = false;
        std::size_t labels = 0;
    };

    void note(std::string_view key, std::string text);
    std::optional<Upstream> upstream(const std::string& text, int line, std::vector<Note>& notes);
    BlockerServers servers_from(const Tree& list, std::vector<Note>& notes);
    static std::string zone_rule(const std::string& domain);
    static std::vector<ZoneServers> zones_of(const std::map<std::string, OneZone>& zones);
    void set_mode(Forward& forward);
    std::string bootstrap_server();
    void finish(BlockerServers& servers);
    void add_private_names(BlockerServers& servers);

    const Tree& dns_;
    std::vector<Note>& notes_;
    std::string bootstrap_;
    bool noted_fastest_ = false;
};

}  // namespace steer::importing
