#include "tools/rossim/router.h"

#include <arpa/inet.h>

#include <array>
#include <stdexcept>

#include "tools/rossim/machine.h"
#include "tools/rossim/script_run.h"
#include "tools/rossim/value_text.h"

namespace rossim {
namespace {

std::string prefill_address(Family family, std::size_t index) {
    if (family == Family::ipv6) {
        std::array<char, 48> text{};
        std::snprintf(text.data(), text.size(), "2001:2::%zx:%zx", index >> 16, index & 0xFFFF);
        return text.data();
    }
    constexpr std::size_t kBenchmarkBlock = 1U << 17;  // 198.18.0.0/15, then 10.0.0.0/8
    const std::size_t address =
        index < kBenchmarkBlock ? 0xC6120000U + index : 0x0A000000U + index - kBenchmarkBlock;
    const in_addr network{htonl(static_cast<std::uint32_t>(address))};
    std::array<char, INET_ADDRSTRLEN> text{};
    return inet_ntop(AF_INET, &network, text.data(), text.size());
}

}  // namespace

Router::Router(Options options, Journal journal)
    : machine_(std::make_unique<Machine>(std::move(options), std::move(journal))) {}
Router::~Router() = default;
Router::Router(Router&&) noexcept = default;
Router& Router::operator=(Router&&) noexcept = default;

std::optional<SessionId> Router::open(std::int64_t now_us, std::string_view client, bool tls) {
    machine_->advance(now_us);
    return machine_->open(client, tls);
}

void Router::feed(SessionId session, std::span<const std::byte> bytes, std::int64_t now_us) {
    // char may alias bytes.
    feed(session, {static_cast<const char*>(static_cast<const void*>(bytes.data())), bytes.size()},
         now_us);
}

void Router::feed(SessionId session, std::string_view bytes, std::int64_t now_us) {
    machine_->advance(now_us);
    machine_->feed(session, bytes);
    machine_->advance(now_us);
}

void Router::close(SessionId session, std::int64_t now_us) {
    machine_->advance(now_us);
    machine_->close(session);
}

void Router::advance(std::int64_t now_us) {
    machine_->advance(now_us);
}

std::optional<std::int64_t> Router::next_event_us() const {
    return machine_->next_event_us();
}

std::vector<Output> Router::take_output() {
    return machine_->take_output();
}

void Router::reboot(std::int64_t down_us, std::int64_t now_us) {
    machine_->advance(now_us);
    machine_->reboot(down_us);
}

bool Router::is_down() const {
    return machine_->up_at_us.has_value();
}

void Router::hang(std::int64_t now_us, std::int64_t for_us) {
    machine_->advance(now_us);
    machine_->hang(for_us);
}

void Router::resume(std::int64_t now_us) {
    machine_->advance(now_us);
    machine_->resume();
}

// A change from outside the API: not in the report, and a refusal is an exception.
template <class Change>
auto Router::as_somebody_else(std::int64_t now_us, const Change& change) {
    machine_->advance(now_us);
    Report& report = machine_->report;
    const std::uint64_t adds = report.adds;
    const std::uint64_t sets = report.sets;
    const std::uint64_t removes = report.removes;
    try {
        const auto result = change(machine_->device);
        report.adds = adds;
        report.sets = sets;
        report.removes = removes;
        return result;
    } catch (const Trap& trap) {
        throw std::runtime_error(trap.message);
    }
}

std::uint64_t Router::add_row(Family family, std::string_view list, std::string_view address,
                              std::optional<std::int64_t> timeout_s, std::string_view comment,
                              std::int64_t now_us, bool allow_duplicate) {
    return as_somebody_else(now_us, [&](Device& device) {
        RowArguments arguments(family, {});
        arguments.list = list;
        arguments.address = address;
        arguments.comment = comment;
        arguments.timeout_s = timeout_s;
        return device.add(family, arguments, now_us, allow_duplicate);
    });
}

bool Router::remove_row(Family family, std::string_view list, std::string_view address,
                        std::int64_t now_us) {
    machine_->advance(now_us);
    const Row* const row = machine_->device.table(family).find(list, address);
    return row != nullptr && remove_row(family, row->id, now_us);
}

bool Router::remove_row(Family family, std::uint64_t id, std::int64_t now_us) {
    return as_somebody_else(now_us, [&](Device& device) {
        if (device.table(family).find(id) == nullptr) return false;
        device.remove(family, {id}, now_us);
        return true;
    });
}

bool Router::edit_row(Family family, std::string_view list, std::string_view address,
                      const RowEdit& edit, std::int64_t now_us) {
    return as_somebody_else(now_us, [&](Device& device) {
        const Row* const row = device.table(family).find(list, address);
        if (row == nullptr) return false;
        RowArguments arguments(family, {});
        arguments.list = edit.list;
        arguments.address = edit.address;
        arguments.comment = edit.comment;
        arguments.timeout_s = edit.timeout_s;
        arguments.disabled = edit.disabled;
        device.set(family, {row->id}, arguments, now_us);
        return true;
    });
}

void Router::prefill(Family family, std::string_view list, std::size_t count, std::int64_t now_us,
                     std::string_view comment) {
    for (std::size_t i = 0; i < count; ++i) {
        add_row(family, list, prefill_address(family, i), std::nullopt, comment, now_us);
    }
}

void Router::resolve(Family family, std::string_view name,
                     const std::vector<std::string>& addresses, std::int64_t now_us) {
    machine_->advance(now_us);
    machine_->device.resolve(family, name, addresses, now_us);
}

std::size_t Router::netwatch(std::string_view host, bool is_up, std::int64_t now_us) {
    machine_->advance(now_us);
    constexpr std::int64_t kEnoughUs = std::int64_t{1} << 40;
    const std::string_view status = is_up ? "up" : "down";
    const std::vector<Record> rows = machine_->records.rows("/tool/netwatch");
    std::size_t changed = 0;
    for (const Record& row : rows) {
        const auto is = [&row](std::string_view name, std::string_view value) {
            std::string scratch;
            return row.property(name, scratch) == value;
        };
        if (!is("host", host) || is("disabled", "true") || is("status", status)) continue;
        ++changed;
        put_record("/tool/netwatch", {{".id", id_text(row.id)}, {"status", std::string(status)}},
                   now_us);
        std::string scratch;
        const std::string source(
            row.property(is_up ? "up-script" : "down-script", scratch).value_or(""));
        const auto system = std::make_shared<const User>(User{"", "", {"read", "write", "policy"}});
        try {
            ScriptRun run(Caller{*machine_, 0, system, std::nullopt},
                          parse_script(source, script_menus(*machine_)));
            run.work(kEnoughUs, now_us);
            if (run.error()) throw std::runtime_error(run.error()->message);
        } catch (const ScriptError& error) {
            throw std::runtime_error(error.message);
        }
    }
    return changed;
}

std::uint64_t Router::put_record(std::string_view menu, const Attributes& attributes,
                                 std::int64_t now_us) {
    machine_->advance(now_us);
    try {
        return machine_->records.put(menu, attributes);
    } catch (const Trap& trap) {
        throw std::runtime_error(trap.message);
    }
}

bool Router::is_hung() const {
    return machine_->is_hung();
}

FaultId Router::inject(Fault fault) {
    return machine_->faults.inject(std::move(fault));
}

void Router::withdraw(FaultId fault) {
    machine_->faults.withdraw(fault);
}

void Router::withdraw_faults() {
    machine_->faults.withdraw_all();
}

std::vector<FaultView> Router::faults() const {
    return machine_->faults.views();
}

void Router::set_max_rows(std::optional<std::size_t> max_rows) {
    machine_->options.max_rows = max_rows;
}

void Router::jump_clock(std::int64_t by_ns) {
    machine_->device.jump_clock(by_ns);
}

std::vector<RowView> Router::rows(Family family, std::string_view list) const {
    std::vector<RowView> views;
    for (const auto& [id, row] : machine_->device.table(family).rows()) {
        if (!list.empty() && row.list != list) continue;
        RowView view{id, row.list, row.address, row.comment, {}, row.is_dynamic(), row.disabled};
        if (row.expires_us) view.left_us = *row.expires_us - machine_->now_us;
        views.push_back(std::move(view));
    }
    return views;
}

std::vector<RouteView> Router::routes(Family family, std::string_view table) const {
    std::vector<RouteView> views;
    const auto& rows = machine_->records.rows(family == Family::ipv4 ? "/ip/route" : "/ipv6/route");
    for (const Record& row : rows) {
        const auto text = [&](std::string_view name) {
            std::string scratch;
            return std::string(row.property(name, scratch).value_or(""));
        };
        if (!table.empty() && text("routing-table") != table) continue;
        views.push_back({row.id, text("routing-table"), text("dst-address"), text("gateway"),
                         text("comment"), text("inactive") == "true", text("dynamic") == "true",
                         text("disabled") == "true"});
    }
    return views;
}

void Router::set_gateway(const std::string& gateway, bool is_reachable, std::int64_t now_us) {
    machine_->advance(now_us);
    machine_->records.set_gateway(gateway, is_reachable);
}

void Router::set_max_routes(std::optional<std::size_t> max_routes) {
    machine_->options.max_routes = max_routes;
}

std::size_t Router::row_count(Family family) const {
    return machine_->device.table(family).size();
}

std::uint64_t Router::add_connection(Family family, TrackedConnection connection,
                                     std::int64_t now_us) {
    machine_->advance(now_us);
    return machine_->conntrack(family).add(std::move(connection), now_us);
}

std::vector<TrackedConnection> Router::connections(Family family) const {
    return machine_->conntrack(family).connections(machine_->now_us);
}

std::uint64_t Router::flash_sectors() const {
    return machine_->device.flash().total;
}

const std::string& Router::name() const {
    return machine_->options.name;
}

const Report& Router::report() const {
    return machine_->counted();
}

void Router::reset_report(std::int64_t now_us) {
    machine_->advance(now_us);
    machine_->reset_report();
}

std::int64_t Router::uptime_s(std::int64_t now_us) const {
    return machine_->uptime_s(now_us);
}

void Router::set_wall_clock(std::int64_t wall_at_zero_ns) {
    machine_->device.set_wall_clock(wall_at_zero_ns);
}

}  // namespace rossim
