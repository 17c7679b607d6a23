#include "tools/rossim/conntrack.h"

#include <algorithm>
#include <utility>

#include "tools/rossim/device.h"
#include "tools/rossim/value_text.h"

namespace rossim {

namespace {

// "192.0.2.1:443", "[2001:db8::1]:443": where the port begins, or npos.
std::size_t port_at(std::string_view text) {
    const std::size_t colon = text.rfind(':');
    if (colon == std::string_view::npos || text.starts_with('['))
        return text.find("]:") == std::string_view::npos ? std::string_view::npos : colon + 1;
    return text.find(':') == colon ? colon + 1 : std::string_view::npos;
}

void set_end(Record& record, const std::string& name, std::string_view text, bool ports_apart) {
    const std::size_t at = port_at(text);
    if (!ports_apart || at == std::string_view::npos) return record.set(name + "-address", text);
    std::string_view host = text.substr(0, at - 1);
    if (host.starts_with('[')) host = host.substr(1, host.size() - 2);
    record.set(name + "-address", host);
    record.set(name + "-port", text.substr(at));
}

}  // namespace

std::uint64_t Conntrack::add(TrackedConnection connection, std::int64_t now_us) {
    const std::int64_t expires_us = now_us + connection.timeout_s * 1'000'000;
    entries_.emplace(++last_id_, Entry{std::move(connection), expires_us});
    return last_id_;
}

void Conntrack::forget_ended(std::int64_t now_us) {
    std::erase_if(entries_, [now_us](const auto& e) { return e.second.expires_us <= now_us; });
}

void Conntrack::remove(const std::vector<std::uint64_t>& ids, bool atomic, std::int64_t now_us) {
    forget_ended(now_us);
    const auto is_known = [this](std::uint64_t id) { return entries_.contains(id); };
    const bool all = std::all_of(ids.begin(), ids.end(), is_known);
    if (!all && atomic) throw no_such_item();
    for (const std::uint64_t id : ids) {
        if (entries_.erase(id) == 0) throw no_such_item();
    }
}

std::vector<Record> Conntrack::records(bool ports_apart, std::int64_t now_us) const {
    std::vector<Record> records;
    for (const auto& [id, entry] : entries_) {
        if (entry.expires_us <= now_us) continue;
        const TrackedConnection& c = entry.connection;
        Record record;
        record.id = id;
        record.set("protocol", c.protocol);
        set_end(record, "src", c.src_address, ports_apart);
        set_end(record, "dst", c.dst_address, ports_apart);
        set_end(record, "reply-src", c.reply_src_address, ports_apart);
        set_end(record, "reply-dst", c.reply_dst_address, ports_apart);
        record.set("tcp-state", c.tcp_state);
        record.set("timeout", duration_text((entry.expires_us - now_us) / 1'000'000));
        record.set("connection-mark", c.connection_mark);
        records.push_back(std::move(record));
    }
    return records;
}

std::vector<TrackedConnection> Conntrack::connections(std::int64_t now_us) const {
    std::vector<TrackedConnection> connections;
    for (const auto& [id, entry] : entries_) {
        if (entry.expires_us <= now_us) continue;
        connections.push_back(entry.connection);
        connections.back().id = id;
        connections.back().timeout_s = (entry.expires_us - now_us) / 1'000'000;
    }
    return connections;
}

}  // namespace rossim
