// /ip/firewall/address-list and /ipv6/firewall/address-list.
#include <algorithm>
#include <array>

#include "tools/rossim/commands.h"
#include "tools/rossim/value_text.h"

namespace rossim {
namespace {

constexpr std::array<std::string_view, 8> kPrinted = {
    ".id", "list", "address", "creation-time", "dynamic", "disabled", "timeout", "comment"};

bool is_wanted(const std::vector<std::string>& proplist, std::string_view name) {
    return proplist.empty() || std::find(proplist.begin(), proplist.end(), name) != proplist.end();
}

// Walks the table by id as CPU time is paid; a row is read when the walk comes to it.
class PrintJob : public Job {
  public:
    PrintJob(Caller caller, Family family, PrintArguments arguments, Query query,
             std::int64_t cost_us)
        : caller_(std::move(caller)),
          family_(family),
          arguments_(std::move(arguments)),
          query_(std::move(query)),
          debt_us_(cost_us) {}

    std::int64_t wants_us() const override;
    bool work(std::int64_t cpu_us, std::int64_t now_us) override;

  private:
    void begin();
    // Uses up to `credit_us`, which ends below the cost of a row, or at_end_.
    void walk(std::int64_t& credit_us, std::int64_t now_us, std::string& out);
    void finish(std::string out);
    bool keeps_listening() const { return arguments_.follow || arguments_.follow_only; }

    Caller caller_;
    Family family_;
    PrintArguments arguments_;
    Query query_;
    std::int64_t debt_us_;  // work that must be paid before the next row; negative: paid ahead
    std::uint64_t cursor_ = 0;
    std::size_t walked_ = 0;
    std::uint64_t matched_ = 0;
    bool begun_ = false;
    bool at_end_ = false;
};

std::int64_t PrintJob::wants_us() const {
    if (at_end_ || arguments_.follow_only) return debt_us_;
    const std::size_t rows = caller_.machine.device.table(family_).size();
    const std::size_t left = rows > walked_ ? rows - walked_ : (begun_ ? 1 : 0);
    return debt_us_ + static_cast<std::int64_t>(left) * caller_.machine.options.costs.scan_row;
}

void PrintJob::begin() {
    begun_ = true;
    ++caller_.machine.report.prints;
    caller_.require("read");
    if (!keeps_listening()) return;
    at_end_ = arguments_.follow_only;
    caller_.machine.listen({session, tag, family_, arguments_.proplist, query_});
}

void PrintJob::walk(std::int64_t& credit_us, std::int64_t now_us, std::string& out) {
    const Costs& costs = caller_.machine.options.costs;
    const auto& rows = caller_.machine.device.table(family_).rows();
    Report& report = caller_.machine.report;
    auto it = rows.upper_bound(cursor_);
    for (; it != rows.end() && credit_us >= costs.scan_row; ++it) {
        cursor_ = it->first;
        ++walked_;
        ++report.rows_scanned;
        credit_us -= costs.scan_row;
        if (!query_.matches(RowProperties(it->second, now_us, caller_.machine.options.version)))
            continue;
        ++matched_;
        if (arguments_.count_only) continue;
        ++report.rows_emitted;
        credit_us -= costs.emit_row;
        append_row(out, caller_.machine, tag, it->second, arguments_.proplist);
    }
    at_end_ = it == rows.end();
}

bool PrintJob::work(std::int64_t cpu_us, std::int64_t now_us) {
    std::int64_t credit_us = cpu_us - debt_us_;
    debt_us_ = -credit_us;
    if (credit_us < 0) return false;
    std::string out;
    try {
        if (!begun_) begin();
    } catch (const Trap& trap) {
        caller_.machine.send_trap(session, tag, trap);
        return true;
    }
    if (!at_end_) walk(credit_us, now_us, out);
    debt_us_ = -credit_us;
    if (at_end_ && credit_us >= 0) {
        finish(std::move(out));
        return true;
    }
    if (!out.empty()) caller_.machine.send(session, std::move(out));
    return false;
}

void PrintJob::finish(std::string out) {
    const Options& options = caller_.machine.options;
    if (keeps_listening()) {
        if (!out.empty()) caller_.machine.send(session, std::move(out));
    } else if (arguments_.count_only) {
        caller_.done(std::move(out), std::to_string(matched_));
    } else {
        if (matched_ == 0 && options.version >= Version{7, 18}) {
            ReplyWriter(out, "!empty", tag, options.tag_last);
        }
        caller_.done(std::move(out));
    }
}

// add, set, remove, enable, disable, comment: takes effect at its end.
class WriteJob : public Job {
  public:
    WriteJob(Caller caller, Family family, Sentence sentence)
        : caller_(std::move(caller)), family_(family), sentence_(std::move(sentence)) {
        const Costs& costs = caller_.machine.options.costs;
        left_us_ = caller_.machine.admission_cost(costs.base + write_cost(costs, sentence_));
    }

    std::int64_t wants_us() const override { return left_us_; }
    bool outlives_session() const override { return true; }
    bool work(std::int64_t cpu_us, std::int64_t now_us) override;

  private:
    Caller caller_;
    Family family_;
    Sentence sentence_;
    std::int64_t left_us_ = 0;
};

bool WriteJob::work(std::int64_t cpu_us, std::int64_t now_us) {
    left_us_ -= cpu_us;
    if (left_us_ > 0) return false;
    try {
        caller_.require("write");
        const auto ret = write_rows(caller_.machine, family_, sentence_, now_us);
        caller_.done({}, ret);
    } catch (const Trap& trap) {
        caller_.machine.send_trap(session, tag, trap);
    }
    return true;
}

}  // namespace

std::optional<Family> address_list_family(std::string_view menu) {
    if (menu == "/ip/firewall/address-list") return Family::ipv4;
    if (menu == "/ipv6/firewall/address-list") return Family::ipv6;
    return std::nullopt;
}

bool is_row_write(std::string_view verb) {
    constexpr std::string_view kWrites[] = {"add", "set", "remove", "enable", "disable", "comment"};
    return std::find(std::begin(kWrites), std::end(kWrites), verb) != std::end(kWrites);
}

std::int64_t write_cost(const Costs& costs, const Sentence& sentence) {
    if (sentence.verb == "add") return costs.add;
    const std::string* numbers = sentence.find(".id");
    if (numbers == nullptr) numbers = sentence.find("numbers");
    const auto ids = numbers != nullptr ? parse_id_list(*numbers) : std::nullopt;
    const auto rows = static_cast<std::int64_t>(ids ? ids->size() : 0);
    return rows * (sentence.verb == "remove" ? costs.remove : costs.set);
}

std::optional<std::string> write_rows(Machine& machine, Family family, const Sentence& sentence,
                                      std::int64_t now_us) {
    Device& device = machine.device;
    if (sentence.verb == "add") {
        return id_text(device.add(family, RowArguments(family, sentence.attributes), now_us));
    }
    const auto ids = ids_of(sentence);
    RowArguments arguments(family, sentence.attributes);
    if (sentence.verb == "remove") {
        device.remove(family, ids, now_us);
        return std::nullopt;
    }
    if (sentence.verb == "enable") arguments.disabled = false;
    if (sentence.verb == "disable") arguments.disabled = true;
    device.set(family, ids, arguments, now_us);
    return std::nullopt;
}

std::optional<std::string_view> RowProperties::property(std::string_view name,
                                                        std::string& scratch) const {
    if (name == "list") return row_.list;
    if (name == "address") return row_.address;
    if (name == ".id") return scratch = id_text(row_.id);
    if (name == "dynamic") return bool_text(row_.is_dynamic());
    if (name == "disabled") return bool_text(row_.disabled);
    if (name == "creation-time")
        return scratch = version_ < Version{7, 10} ? old_date_time_text(row_.created_ns)
                                                   : date_time_text(row_.created_ns);
    if (name == "comment" && !row_.comment.empty()) return row_.comment;
    if (name == "timeout" && row_.expires_us) {
        return scratch = duration_text((*row_.expires_us - now_us_) / 1'000'000);
    }
    return std::nullopt;
}

void append_row(std::string& out, const Machine& machine, const std::optional<std::string>& tag,
                const Row& row, const std::vector<std::string>& proplist) {
    const RowProperties properties(row, machine.now_us, machine.options.version);
    ReplyWriter reply(out, "!re", tag, machine.options.tag_last);
    std::string scratch;
    for (const std::string_view name : kPrinted) {
        if (!is_wanted(proplist, name)) continue;
        const auto value = properties.property(name, scratch);
        if (value) reply.attribute(name, *value);
    }
}

void append_dead(std::string& out, const Machine& machine, const std::optional<std::string>& tag,
                 std::uint64_t id) {
    ReplyWriter reply(out, "!re", tag, machine.options.tag_last);
    reply.attribute(".id", id_text(id)).attribute(".dead", "true");
}

std::unique_ptr<Job> make_row_job(Machine& machine, const Session& session, Family family,
                                  Sentence sentence) {
    Caller caller{machine, session.id, session.user, sentence.tag};
    const auto is = [&sentence](std::initializer_list<std::string_view> verbs) {
        return std::find(verbs.begin(), verbs.end(), sentence.verb) != verbs.end();
    };
    if (is({"print", "getall", "listen"})) {
        PrintArguments arguments(sentence);
        arguments.follow_only |= sentence.verb == "listen";
        const std::int64_t cost_us = machine.admission_cost(machine.options.costs.base);
        return std::make_unique<PrintJob>(std::move(caller), family, std::move(arguments),
                                          Query(sentence.query), cost_us);
    }
    if (is_row_write(sentence.verb)) {
        return std::make_unique<WriteJob>(std::move(caller), family, std::move(sentence));
    }
    throw Trap{"not simulated: " + sentence.menu + "/" + sentence.verb, std::nullopt};
}

}  // namespace rossim
