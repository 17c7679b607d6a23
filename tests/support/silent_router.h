// A router's surroundings for tests that do not care about the router: a connection without an answer, a sink that ignores all.
//
// Uses types of routeros.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "routeros/link.h"
#include "routeros/router.h"

namespace steer::test {

// Keeps what is sent.
struct SilentLink final : routeros::RouterLink {
    void connect() override { ++connects; }
    void close() override {}
    void send(std::string_view bytes) override { sent += bytes; }
    int connects = 0;
    std::string sent;
};

// Keeps the log alone.
struct DeafSink final : routeros::RouterSink {
    void installed(routeros::ListId, const routeros::AddressBytes&, std::uint32_t) override {}
    void ended(routeros::ListId, const routeros::AddressBytes&) override {}
    void lost(routeros::ListId, const routeros::AddressBytes&) override {}
    void epoch(routeros::ListId) override {}
    void away(routeros::ListId, bool) override {}
    void settled(std::uint64_t, routeros::Outcome) override {}
    void log(routeros::Level, std::string_view line) override { lines.emplace_back(line); }
    [[nodiscard]] std::size_t logged(std::string_view part) const {
        return static_cast<std::size_t>(std::ranges::count_if(
            lines, [&](const std::string& line) { return line.find(part) != line.npos; }));
    }
    std::vector<std::string> lines;
};

// Router "edge1" with the list "policy" (id 3), which other boxes write, too.
inline routeros::RouterConfig one_list_config() {
    routeros::RouterConfig config;
    config.name = "edge1";
    routeros::ListConfig list;
    list.id = 3;
    list.list4 = list.list6 = "policy_set";
    list.tag = "policy";
    list.multi_writer = true;
    config.lists.push_back(list);
    return config;
}

}  // namespace steer::test
