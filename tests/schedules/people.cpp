#include "schedules/people.h"

#include <algorithm>
#include <cstdio>
#include <stdexcept>

namespace steer::schedules {

namespace {

std::string menu(rossim::Family family) {
    return family == rossim::Family::ipv4 ? "/ip/firewall/address-list"
                                          : "/ipv6/firewall/address-list";
}

std::string route_menu(rossim::Family family) {
    return family == rossim::Family::ipv4 ? "/ip/route" : "/ipv6/route";
}

// "203.0.113.7/32" of the address as a list prints it.
std::string destination(std::string_view address) {
    return std::string(address) + (address.find('/') == address.npos ? "/32" : "");
}

}  // namespace

bool People::add(rossim::Family family, std::string_view list, std::string_view address,
                 std::optional<std::int64_t> timeout_s, std::string_view comment,
                 std::int64_t now_us) {
    acting_ = true;
    bool done = true;
    try {
        sim_.add_row(family, list, address, timeout_s, comment, now_us, true);
    } catch (const std::runtime_error&) {  // it is full
        done = false;
    }
    acting_ = false;
    return done;
}

bool People::remove(rossim::Family family, std::string_view list, std::string_view address,
                    std::int64_t now_us) {
    acting_ = true;
    const bool was_there = sim_.remove_row(family, list, address, now_us);
    acting_ = false;
    return was_there;
}

void People::prefill(rossim::Family family, std::string_view list, std::size_t count,
                     std::int64_t now_us) {
    acting_ = true;
    sim_.prefill(family, list, count, now_us);
    acting_ = false;
}

bool People::edit(rossim::Family family, std::string_view list, std::string_view address,
                  const rossim::RowEdit& edit, std::int64_t now_us) {
    acting_ = true;
    bool done = false;
    try {
        done = sim_.edit_row(family, list, address, edit, now_us);
    } catch (const std::runtime_error&) {  // in the router's words: a duplicate, a dynamic row
    }
    acting_ = false;
    return done;
}

std::optional<std::uint64_t> People::route_at(rossim::Family family, std::string_view table,
                                              std::string_view address) const {
    for (const auto& route : sim_.routes(family, table)) {
        if (route.destination == destination(address)) return route.id;
    }
    return std::nullopt;
}

void People::add_route(rossim::Family family, std::string_view table, std::string_view address,
                       std::string_view gateway, std::string_view comment, bool disabled,
                       std::int64_t now_us) {
    acting_ = true;
    sim_.put_record(route_menu(family),
                    {{"dst-address", destination(address)},
                     {"routing-table", std::string(table)},
                     {"gateway", std::string(gateway)},
                     {"distance", "100"},
                     {"disabled", disabled ? "true" : "false"},
                     {"comment", std::string(comment)}},
                    now_us);
    acting_ = false;
}

bool People::remove_route(rossim::Family family, std::string_view table, std::string_view address,
                          std::int64_t now_us) {
    return edit_route(family, table, address, ".dead", "true", now_us);
}

void People::set_gateway(const std::string& gateway, bool is_reachable, std::int64_t now_us) {
    acting_ = true;
    sim_.set_gateway(gateway, is_reachable, now_us);
    acting_ = false;
}

bool People::edit_route(rossim::Family family, std::string_view table, std::string_view address,
                        const std::string& property, const std::string& value,
                        std::int64_t now_us) {
    const auto id = route_at(family, table, address);
    if (!id) return false;
    char text[24];
    std::snprintf(text, sizeof text, "*%llX", static_cast<unsigned long long>(*id));
    acting_ = true;
    sim_.put_record(route_menu(family), {{".id", text}, {property, value}}, now_us);
    acting_ = false;
    return true;
}

void People::print(unsigned times, std::int64_t now_us, std::function<void()> done) {
    const auto session = sim_.open(now_us, "192.168.88.9");
    if (!session) return done();
    std::vector<std::vector<std::string>> sentences{{"/login", "=name=admin", "=password=secret"}};
    for (unsigned i = 0; i < times; ++i) {
        for (const auto family : {rossim::Family::ipv4, rossim::Family::ipv6})
            sentences.push_back({menu(family) + "/print", ".tag=" + std::to_string(i)});
    }
    std::string bytes;
    for (const auto& words : sentences) {
        for (const auto& word : words)
            routeros::append_word(bytes, word);
        routeros::append_end(bytes);
    }
    Errand& errand = errands_[*session];
    errand.answers_missing = sentences.size();
    errand.done = std::move(done);
    sim_.feed(*session, bytes, now_us);
}

void People::take_all_sessions(std::size_t max_sessions, std::int64_t now_us) {
    for (std::size_t i = 0; i < max_sessions; ++i) {
        if (const auto session = sim_.open(now_us, "192.168.88.8")) crowd_.push_back(*session);
    }
}

void People::leave(std::int64_t now_us) {
    for (const auto session : crowd_)
        sim_.close(session, now_us);
    crowd_.clear();
}

bool People::arrived(const rossim::Output& output, std::int64_t now_us) {
    const auto found = errands_.find(output.session);
    if (found == errands_.end()) {
        return std::find(crowd_.begin(), crowd_.end(), output.session) != crowd_.end();
    }
    Errand& errand = found->second;
    errand.reader.feed(output.bytes);
    std::vector<std::string_view> words;
    while (errand.reader.next(words) == routeros::Decoder::Status::sentence) {
        if (words.front() == "!done" && errand.answers_missing > 0) --errand.answers_missing;
    }
    if (errand.answers_missing > 0 && !output.close) return true;
    const auto done = std::move(errand.done);
    if (!output.close) sim_.close(output.session, now_us);
    errands_.erase(found);
    if (done) done();
    return true;
}

}  // namespace steer::schedules
