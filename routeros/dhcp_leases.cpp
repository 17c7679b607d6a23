#include "routeros/dhcp_leases.h"

#include <algorithm>
#include <utility>

namespace steer::routeros {
namespace {

constexpr std::uint64_t kReadAgainMs = 600'000, kPollMs = 30'000;
constexpr std::uint64_t kSettleMs = 500;     // a server that comes back gives many leases at once
constexpr std::uint64_t kBeatMs = 20'000;    // after this silence a heartbeat is sent
constexpr std::uint64_t kAnswerMs = 30'000;  // within this time a reply or the next row must come

constexpr std::size_t kMaxPrinted = 4 * kMaxLeases;  // no real router has more

constexpr const CommandForm* kPrints[2] = {&forms::print_leases, &forms::print_bindings};
constexpr const CommandForm* kListens[2] = {&forms::listen_leases, &forms::listen_bindings};

std::string lower(std::string_view text) {
    std::string out(text);
    for (char& c : out) {
        if (c >= 'A' && c <= 'Z') c = static_cast<char>(c + ('a' - 'A'));
    }
    return out;
}

// The first of these properties that the row has, without its prefix length.
std::string first_of(const ReplyRow& row, std::initializer_list<std::string_view> names) {
    for (const std::string_view name : names) {
        const auto value = row.get(name);
        if (value && !value->empty()) return std::string(value->substr(0, kMaxHostNameBytes));
    }
    return {};
}

std::optional<DhcpLease> lease_of(bool v6, const ReplyRow& row) {
    if (row.get("status").value_or("") != "bound" || row.is_true("disabled")) return std::nullopt;
    DhcpLease lease;
    lease.v6 = v6;
    lease.is_static = !row.is_true("dynamic");
    lease.address = first_of(row, {"active-address", "address"});
    lease.server = first_of(row, {"active-server", "server"});
    if (const auto slash = lease.address.find('/'); slash != std::string::npos) {
        if (lease.address.substr(slash) != (v6 ? "/128" : "/32")) return std::nullopt;
        lease.address.resize(slash);
    }
    lease.mac = v6 ? mac_of_duid(row.get("duid").value_or(""))
                   : lower(first_of(row, {"active-mac-address", "mac-address"}));
    lease.host_name = row.get("host-name").value_or("").substr(0, kMaxHostNameBytes);
    lease.comment = row.get("comment").value_or("").substr(0, kMaxHostNameBytes);
    if (lease.address.empty()) return std::nullopt;
    return lease;
}

}  // namespace

// Some RouterOS versions omit the type of DUID-LLT and DUID-LL: then time and address, or only the address, remain.
std::string mac_of_duid(std::string_view duid) {
    constexpr std::size_t kMacDigits = 12;
    if (duid.starts_with("0x")) duid.remove_prefix(2);
    const bool is_hexadecimal = duid.find_first_not_of("0123456789abcdefABCDEF") == duid.npos;
    const bool is_long = duid.size() == 28;
    const bool may_be = duid.size() == kMacDigits || duid.size() == 20 || is_long;
    if (!is_hexadecimal || !may_be || (is_long && !duid.starts_with("00010001"))) return {};
    const std::string digits = lower(duid.substr(duid.size() - kMacDigits));
    std::string out;
    for (std::size_t i = 0; i < kMacDigits; i += 2)
        out += (i == 0 ? "" : ":") + digits.substr(i, 2);
    return out;
}

LeaseReader::LeaseReader(Config config, LeaseSink& sink, RouterLink& link)
    : config_(std::move(config)), sink_(sink), link_(link), session_(*this) {}

std::string LeaseReader::who() const {
    const bool once = config_.address.empty() || config_.address == config_.name;
    return "router " + config_.name + (once ? "" : " at " + config_.address);
}

// ---- entries

void LeaseReader::start(std::uint64_t now_ms) {
    now_ = now_ms;
    running_ = true;
    connect_at_ms_ = now_;
    run();
}

void LeaseReader::stop(std::uint64_t now_ms) {
    now_ = now_ms;
    running_ = false;
    if (state_ != RouterState::disconnected) link_.close();
    end_session(0);
}

void LeaseReader::configure(Config config, std::uint64_t now_ms) {
    now_ = now_ms;
    if (state_ != RouterState::disconnected) link_.close();
    config_ = std::move(config);
    trouble_.clear();
    failures_ = 0;
    end_session(0);
    run();
}

void LeaseReader::connected(std::uint64_t now_ms) {
    now_ = heard_ms_ = now_ms;
    if (state_ != RouterState::connecting) return;
    state_ = RouterState::logging_in;
    phase_until_ms_ = now_ + kLoginLimitMs;
    session_.login(config_.username, config_.password);
    run();
}

void LeaseReader::received(std::string_view bytes, std::uint64_t now_ms) {
    now_ = heard_ms_ = now_ms;
    if (state_ < RouterState::logging_in) return;
    session_.feed(bytes);
    run();
}

void LeaseReader::closed(std::string_view why, std::uint64_t now_ms) {
    now_ = now_ms;
    if (state_ == RouterState::disconnected) return;
    complain(
        (state_ == RouterState::connecting ? "cannot be reached (" : "ended the connection (") +
        std::string(why) + ")");
    end_session(backoff_ms());
}

void LeaseReader::tick(std::uint64_t now_ms) {
    now_ = now_ms;
    run();
}

void LeaseReader::run() {
    if (running_ && state_ == RouterState::disconnected && now_ >= connect_at_ms_) begin_connect();
    const bool is_setting_up =
        state_ == RouterState::connecting || state_ == RouterState::logging_in;
    if (is_setting_up && now_ >= phase_until_ms_) give_up("does not answer", backoff_ms());
    if (state_ >= RouterState::reading) look_alive();
    if (state_ == RouterState::in_sync && now_ >= print_at_ms_) begin_prints();
    if (now_ >= notify_at_ms_) notify();
    if (lost_) {
        link_.close();
        complain(lost_->why);
        return end_session(lost_->retry_ms);
    }
    if (const std::string out = session_.take_output(); !out.empty()) link_.send(out);
}

std::uint64_t LeaseReader::next_deadline() const {
    switch (state_) {
        case RouterState::disconnected:
        case RouterState::unusable:
            return running_ ? std::min(notify_at_ms_, connect_at_ms_) : notify_at_ms_;
        case RouterState::connecting:
        case RouterState::logging_in:
            return std::min(notify_at_ms_, phase_until_ms_);
        case RouterState::reading:
            return std::min(notify_at_ms_, heard_ms_ + silent_ms());
        case RouterState::in_sync:
            return std::min({notify_at_ms_, print_at_ms_, heard_ms_ + silent_ms()});
    }
    return notify_at_ms_;
}

// ---- the session

void LeaseReader::begin_connect() {
    state_ = RouterState::connecting;
    phase_until_ms_ = now_ + kConnectLimitMs;
    link_.connect();
}

std::uint64_t LeaseReader::backoff_ms() const {
    return std::min(kRetryMs << std::min(failures_, 6U), kLongestBackoffMs);
}

void LeaseReader::give_up(std::string why, std::uint64_t retry_ms) {
    if (!lost_) lost_ = Lost{std::move(why), retry_ms};
}

// The known leases stay.
void LeaseReader::end_session(std::uint64_t retry_ms) {
    state_ = RouterState::disconnected;
    session_.reset();
    lost_.reset();
    beat_ = 0;
    print_at_ms_ = UINT64_MAX;
    for (Half& half : halves_) {
        half.printed.clear();
        half.print = half.listen = 0;
        half.was_read = half.refuses_listen = half.is_missing = false;
    }
    ++failures_;
    connect_at_ms_ = now_ + retry_ms;
}

// Logs the same trouble only once.
void LeaseReader::complain(const std::string& why) {
    if (why == trouble_) return;
    trouble_ = why;
    sink_.log(Level::warning, who() + " " + why +
                                  ": its last known DHCP leases stay in use; it is tried "
                                  "again");
}

void LeaseReader::on_login(const Ending& ending) {
    if (!ending.ok) {
        return give_up("refuses user " + config_.username + " (" + ending.message +
                           "; check username and password)",
                       kRefusedRetryMs);
    }
    state_ = RouterState::reading;
    begin_prints();
}

void LeaseReader::on_broken(std::string_view reason) {
    if (session_.flooded())
        return give_up("is unusable (" + std::string(reason) + ")", kUnusableMs);
    give_up("ended the session (" + std::string(reason) + ")", backoff_ms());
}

std::uint64_t LeaseReader::silent_ms() const {
    return beat_ != 0 || is_printing() ? kAnswerMs : kBeatMs;
}

void LeaseReader::look_alive() {
    if (now_ < heard_ms_ + silent_ms()) return;
    if (beat_ != 0 || is_printing()) return give_up("is silent", backoff_ms());
    beat_ = session_.send(Command(forms::print_identity));
    heard_ms_ = now_;  // its time starts now
}

// ---- leases

// Listen before print, so that changes during the print are reported. Without .proplist, which might hide that a row is dead.
void LeaseReader::begin_prints() {
    bool listens = true;
    for (std::size_t i = 0; i < 2; ++i) {
        Half& half = halves_[i];
        if (half.is_missing) continue;
        if (half.listen == 0 && !half.refuses_listen)
            half.listen = session_.send(Command(*kListens[i]), Session::Reply::endless);
        listens = listens && half.listen != 0;
        if (half.print != 0) continue;
        half.printed.clear();
        half.print = session_.send(Command(*kPrints[i]));
    }
    print_at_ms_ = now_ + (listens ? kReadAgainMs : kPollMs);
}

void LeaseReader::on_row(Tag tag, const ReplyRow& row) {
    for (Half& half : halves_) {
        if (tag == half.print || tag == half.listen) apply(half, row);
    }
}

void LeaseReader::apply(Half& half, const ReplyRow& row) {
    const RowId id = parse_row_id(row.get(".id").value_or(""));
    if (id == 0) return;
    if (row.is_true(".dead")) return drop(half, id);
    if (half.print != 0) half.printed.insert(id);
    if (half.printed.size() > kMaxPrinted) {
        return session_.refuse_more("more than " + std::to_string(kMaxPrinted) + " DHCP leases");
    }
    auto lease = lease_of(half.v6, row);
    if (!lease) return drop(half, id);
    if (half.rows.size() >= kMaxLeases && !half.rows.contains(id)) {
        if (!std::exchange(half.was_cut, true)) {
            sink_.log(Level::warning, who() + " has more than " + std::to_string(kMaxLeases) +
                                          " DHCP leases: the others have no names here");
        }
        return;
    }
    lease->id = id;
    DhcpLease& known = half.rows[id];
    if (known == *lease) return;
    known = *std::move(lease);
    changed();
}

void LeaseReader::drop(Half& half, RowId id) {
    if (half.rows.erase(id) != 0) changed();
}

void LeaseReader::changed() {
    if (state_ == RouterState::in_sync) notify_at_ms_ = std::min(notify_at_ms_, now_ + kSettleMs);
}

void LeaseReader::on_end(Tag tag, const Ending& ending) {
    if (tag == beat_) beat_ = 0;
    for (Half& half : halves_) {
        if (tag == half.print) end_print(half, ending);
        if (tag == half.listen) end_listen(half, ending);
    }
}

void LeaseReader::end_print(Half& half, const Ending& ending) {
    half.print = 0;
    if (!ending.ok) {
        // Without its package a router has no such menu.
        if (!half.v6 || !ending.says("no such command")) {
            return give_up("does not list its DHCP leases (" + ending.message +
                               "; its user needs the policies api and read)",
                           kRefusedRetryMs);
        }
        half.is_missing = true;
    }
    if (std::erase_if(half.rows,
                      [&](const auto& row) { return !half.printed.contains(row.first); }))
        changed();
    half.printed.clear();
    half.was_read = true;
    if (state_ == RouterState::in_sync || !halves_[0].was_read || !halves_[1].was_read) return;
    state_ = RouterState::in_sync;
    failures_ = 0;
    if (!std::exchange(trouble_, {}).empty())
        sink_.log(Level::info, who() + " lists its DHCP leases again");
    notify_at_ms_ = now_;
}

void LeaseReader::end_listen(Half& half, const Ending& ending) {
    half.listen = 0;
    half.refuses_listen = !ending.ok && !ending.says("interrupted");
    print_at_ms_ = std::min(print_at_ms_, now_ + kPollMs);
}

void LeaseReader::notify() {
    notify_at_ms_ = UINT64_MAX;
    std::vector<DhcpLease> all;
    all.reserve(halves_[0].rows.size() + halves_[1].rows.size());
    for (const Half& half : halves_) {
        for (const auto& [id, lease] : half.rows)
            all.push_back(lease);
    }
    sink_.leases(std::move(all));
}

}  // namespace steer::routeros
