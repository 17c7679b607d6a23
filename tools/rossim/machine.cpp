#include "tools/rossim/machine.h"

#include <algorithm>
#include <numeric>
#include <sstream>
#include <utility>

#include "tools/rossim/address.h"
#include "tools/rossim/commands.h"

namespace rossim {

Machine::Machine(Options options_given, Journal journal)
    : options(std::move(options_given)),
      device(options, report, std::move(journal),
             [this](Family family, const Row* before, const Row* after) {
                 tell_listeners(family, before, after);
             }),
      records(options,
              [this](std::string_view menu, Change change, const Record& record) {
                  tell_listeners(menu, change, record);
                  give_lease_rows(menu, record.id, change == Change::remove ? nullptr : &record);
              }),
      faults(options.fault_seed),
      cpu(options.shuffle_seed),
      outgoing_(options.latency_us / 2),
      booted_us_(-options.uptime_at_zero_s * 1'000'000) {
    if (options.throttle) tokens_ = options.throttle->bucket_requests;
}

std::optional<SessionId> Machine::open(std::string_view client, bool tls) {
    if (up_at_us) return std::nullopt;
    const auto same_service = std::count_if(
        sessions.begin(), sessions.end(),
        [tls](const auto& entry) { return entry.second.tls == tls && !entry.second.surplus; });
    const bool is_full = static_cast<std::size_t>(same_service) >= options.max_sessions;
    if (is_full && options.over_max_sessions == OverMaxSessions::refuse) return std::nullopt;
    const SessionId id = ++last_session_;
    const bool closes_at_once = is_full && options.over_max_sessions == OverMaxSessions::close;
    if (closes_at_once || !is_available_from(options.available_from, client)) {
        outgoing_.send_at_once({.session = id, .close = true});
        return id;
    }
    Session& session =
        sessions.try_emplace(id, id, client, tls, options.max_word_bytes).first->second;
    session.surplus = is_full;
    ++report.sessions;
    report.sessions_peak = std::max<std::uint64_t>(report.sessions_peak, sessions.size());
    return id;
}

void Machine::feed(SessionId session, std::string_view bytes) {
    report.bytes_in += bytes.size();
    inbox_.push_back({now_us + options.latency_us / 2, session, std::string(bytes)});
}

void Machine::close(SessionId session) {
    outgoing_.forget(session);
    end_session(session);
}

void Machine::end_session(SessionId session) {
    sessions.erase(session);
    std::erase_if(listeners_, [&](const Listener& l) { return l.session == session; });
    std::erase_if(notices_, [&](const Notice& t) { return t.session == session; });
    cpu.remove_if(
        [&](const Job& job) {
            return job.session == session && !(job.started && job.outlives_session());
        },
        now_us);
}

std::optional<std::int64_t> Machine::next_event_us() const {
    std::optional<std::int64_t> next = up_at_us;
    const auto consider = [&next](std::optional<std::int64_t> at_us) {
        if (at_us && (!next || *at_us < *next)) next = at_us;
    };
    consider(device.next_expiry_us());
    consider(cpu.slice_end_us());
    if (!inbox_.empty() && !hung_) consider(inbox_.front().due_us);
    consider(outgoing_.next_event_us());
    consider(resume_at_us_);
    if (next) next = std::max(*next, now_us);
    return next;
}

void Machine::advance(std::int64_t to_us) {
    for (auto next = next_event_us(); next && *next <= to_us; next = next_event_us()) {
        run_event(*next);
    }
    now_us = std::max(now_us, to_us);
}

void Machine::run_event(std::int64_t at_us) {
    now_us = at_us;
    device.expire(at_us);
    if (up_at_us && *up_at_us <= at_us) {
        up_at_us.reset();
        device.come_up(at_us);
    }
    if (resume_at_us_ && *resume_at_us_ <= at_us) wake();
    while (!hung_ && !inbox_.empty() && inbox_.front().due_us <= at_us) {
        const Parcel parcel = std::move(inbox_.front());
        inbox_.pop_front();
        receive(parcel.session, parcel.bytes);
    }
    const auto slice_end_us = cpu.slice_end_us();
    if (slice_end_us && *slice_end_us <= at_us) cpu.run_slice();
    outgoing_.run(at_us);
    for (const auto& action : std::exchange(after_event_, {}))
        action();
}

void Machine::receive(SessionId id, std::string_view bytes) {
    Session* session = find_session(id);
    if (session == nullptr) return;
    if (session->user == nullptr) session->bytes_before_login += bytes.size();
    session->reader.feed(bytes);
    while (session != nullptr) {
        const auto words = session->reader.next();
        if (!words) break;
        accept(*session, parse_sentence(*words));
        session = find_session(id);  // it may have been ended
    }
    if (session == nullptr) return;
    if (session->reader.fault() == WordReader::Fault::word_too_long) {
        fail(*session, "word too long");
    } else if (session->reader.fault() == WordReader::Fault::control_byte) {
        send(id, {}, true);
    } else if (session->user == nullptr && !session->login_in_progress &&
               session->bytes_before_login > options.max_bytes_before_login) {
        fail(*session, "too many commands before login");
    }
}

void Machine::accept(Session& session, Sentence sentence) {
    ++report.sentences;
    report.count_command(sentence.menu + "/" + sentence.verb);
    if (session.surplus) {
        send(session.id, {}, true);
        return;
    }
    if (session.user == nullptr) {
        if (++session.sentences_before_login > options.max_sentences_before_login) {
            fail(session, "too many commands before login");
            return;
        }
        if (session.login_in_progress) {
            session.after_login.push_back(std::move(sentence));
            return;
        }
        if (sentence.menu != "" || sentence.verb != "login") {
            fail(session, "not logged in");
            return;
        }
        session.login_in_progress = true;
    }
    auto job = job_for(session, std::move(sentence));
    if (job) cpu.push(std::move(job), now_us);
}

// The sentence's job, or what a fault makes of it.
std::unique_ptr<Job> Machine::job_for(Session& session, Sentence sentence) {
    const Fault* const fault = faults.strike(sentence.menu + "/" + sentence.verb, now_us);
    auto job = make_job(*this, session, std::move(sentence));
    if (fault == nullptr) return job;
    ++report.faults;
    if (fault->kind == FaultKind::drip) {
        const auto until_us =
            fault->for_us == 0 ? std::nullopt : std::optional(now_us + fault->for_us);
        outgoing_.drip(session.id, fault->byte_us, until_us, now_us);
        return job;
    }
    if (fault->kind == FaultKind::hang && !fault->applied) {
        after_event([this, for_us = fault->for_us] { hang(for_us); });
        return job;
    }
    return make_faulty(*this, *fault, std::move(job));
}

void Machine::login_over(Session& session) {
    session.login_in_progress = false;
    const SessionId id = session.id;
    auto waiting = std::exchange(session.after_login, {});
    for (Sentence& sentence : waiting) {
        Session* const still = find_session(id);
        if (still != nullptr) accept(*still, std::move(sentence));
    }
}

std::int64_t Machine::admission_cost(std::int64_t cost_us) {
    if (!options.throttle) return cost_us;
    const bool rested = cpu.idle() && now_us - cpu.idle_since_us() >= 1'000'000;
    if (rested) tokens_ = options.throttle->bucket_requests;
    if (tokens_ == 0) return std::max(cost_us, options.throttle->then_us);
    --tokens_;
    return cost_us;
}

Session* Machine::find_session(SessionId id) {
    const auto it = sessions.find(id);
    return it == sessions.end() ? nullptr : &it->second;
}

void Machine::send(SessionId session, std::string bytes, bool close) {
    if (find_session(session) == nullptr) return;
    if (session == captured_session_) {
        captured_ += bytes;
        bytes.clear();
    }
    if (!bytes.empty() || close) outgoing_.send({session, std::move(bytes), close}, now_us);
    if (close) end_session(session);
}

void Machine::break_off(SessionId session) {
    if (find_session(session) == nullptr) return;
    outgoing_.send({.session = session, .close = true, .reset = true}, now_us);
    end_session(session);
}

std::string Machine::end_capture() {
    captured_session_ = 0;
    return std::exchange(captured_, {});
}

std::vector<Output> Machine::take_output() {
    return outgoing_.take();
}

void Machine::send_trap(SessionId session, const std::optional<std::string>& tag,
                        const Trap& trap) {
    ++report.traps;
    std::string out;
    {
        ReplyWriter reply(out, "!trap", tag, options.tag_last);
        if (trap.category) reply.attribute("category", std::to_string(*trap.category));
        reply.attribute("message", trap.message);
    }
    { ReplyWriter reply(out, "!done", tag, options.tag_last); }
    send(session, std::move(out));
}

void Machine::fail(Session& session, std::string_view reason) {
    std::string out;
    { ReplyWriter(out, "!fatal", std::nullopt, false).word(reason); }
    send(session.id, std::move(out), true);
}

std::vector<std::optional<std::string>> Machine::cancel(SessionId session,
                                                        const std::optional<std::string>& tag,
                                                        const std::optional<std::string>& keep) {
    std::vector<std::optional<std::string>> ended;
    const auto meant = [&](SessionId owner, const std::optional<std::string>& its_tag) {
        if (owner != session) return false;
        const bool hit = tag ? its_tag == tag : its_tag != keep;
        // A print that follows is both a job and a listener: one answer.
        const bool known = std::find(ended.begin(), ended.end(), its_tag) != ended.end();
        if (hit && !known) ended.push_back(its_tag);
        return hit;
    };
    std::erase_if(listeners_, [&](const Listener& l) { return meant(l.session, l.tag); });
    cpu.remove_if([&](const Job& job) { return meant(job.session, job.tag); }, now_us);
    std::erase_if(notices_, [&](const Notice& t) { return meant(t.session, t.tag); });
    for (const auto& its_tag : ended) {
        std::string out;
        {
            ReplyWriter reply(out, "!trap", its_tag, options.tag_last);
            reply.attribute("category", std::to_string(kInterrupted));
            reply.attribute("message", "interrupted");
        }
        send(session, std::move(out));
    }
    return ended;
}

void Machine::tell_listeners(Family family, const Row* before, const Row* after) {
    if (listeners_.empty()) return;
    for (const Listener& listener : listeners_) {
        if (listener.family != family || !listener.menu.empty()) continue;
        const auto matches = [&](const Row* row) {
            return row != nullptr &&
                   listener.query.matches(RowProperties(*row, now_us, options.version));
        };
        std::string out;
        if (matches(after)) {
            append_row(out, *this, listener.tag, *after, listener.proplist);
        } else if (matches(before)) {
            append_dead(out, *this, listener.tag, before->id);
        }
        if (!out.empty()) tell(listener, std::move(out));
    }
}

// A bound lease puts its client into the lists of `address-lists`.
void Machine::give_lease_rows(std::string_view menu, std::uint64_t id, const Record* record) {
    const bool is_v6 = menu == "/ipv6/dhcp-server/binding";
    if (!is_v6 && menu != "/ip/dhcp-server/lease") return;
    const auto value = [record](std::string_view name) {
        std::string scratch;
        const auto found = record == nullptr ? std::nullopt : record->property(name, scratch);
        return std::string(found.value_or(""));
    };
    std::vector<std::string> lists;
    std::string address = value("active-address");
    if (address.empty()) address = value("address");
    if (value("status") == "bound" && value("disabled") != "true" && !address.empty()) {
        std::istringstream words(value("address-lists"));
        for (std::string list; std::getline(words, list, ',');) {
            if (!list.empty()) lists.push_back(list);
        }
    }
    device.set_lease_rows(is_v6 ? Family::ipv6 : Family::ipv4, id, address, lists, now_us);
}

void Machine::note_route(Family family, Change change, const Record& record) {
    std::string scratch[5];
    const auto text = [&](std::size_t i, std::string_view name) {
        return record.property(name, scratch[i]).value_or("");
    };
    std::string_view address = text(0, "dst-address");
    if (address.ends_with("/32") && family == Family::ipv4) address.remove_suffix(3);
    device.write_journal({.change = change,
                          .family = family,
                          .list = text(1, "routing-table"),
                          .address = address,
                          .comment = text(2, "comment"),
                          .id = record.id,
                          .disabled = text(3, "disabled") == "true",
                          .is_route = true,
                          .gateway = text(4, "gateway")},
                         now_us);
}

void Machine::tell_listeners(std::string_view menu, Change change, const Record& record) {
    if (const auto family = route_family(menu)) note_route(*family, change, record);
    for (const Listener& listener : listeners_) {
        if (listener.menu != menu) continue;
        std::string out;
        if (change != Change::remove) {
            append_record(out, *this, listener.tag, record, listener.proplist);
        } else {
            append_dead(out, *this, listener.tag, record.id);
        }
        tell(listener, std::move(out));
    }
}

// Pays for what listeners are sent, one row after the other.
class Machine::TellJob : public Job {
  public:
    explicit TellJob(Machine& machine) : machine_(machine) { cpu_class = CpuClass::listen; }

    std::int64_t wants_us() const override {
        return static_cast<std::int64_t>(machine_.notices_.size()) *
                   machine_.options.costs.emit_row -
               credit_us_;
    }

    bool work(std::int64_t cpu_us, std::int64_t) override {
        const std::int64_t cost_us = machine_.options.costs.emit_row;
        credit_us_ += cpu_us;
        for (; !machine_.notices_.empty() && credit_us_ >= cost_us; credit_us_ -= cost_us) {
            Notice notice = std::move(machine_.notices_.front());
            machine_.notices_.pop_front();
            machine_.send(notice.session, std::move(notice.bytes));
        }
        if (!machine_.notices_.empty()) return false;
        machine_.telling_ = false;
        return true;
    }

  private:
    Machine& machine_;
    std::int64_t credit_us_ = 0;
};

void Machine::tell(const Listener& listener, std::string bytes) {
    ++report.rows_notified;
    if (!options.listen_costs) {
        send(listener.session, std::move(bytes));
        return;
    }
    notices_.push_back({listener.session, listener.tag, std::move(bytes)});
    if (std::exchange(telling_, true)) return;
    cpu.push(std::make_unique<TellJob>(*this), now_us);
}

const Report& Machine::counted() {
    report.sessions_now = sessions.size();
    report.bytes_out = outgoing_.bytes_out();
    report.cpu_us_by_class = cpu.busy_us();
    report.cpu_us = std::accumulate(cpu.busy_us().begin(), cpu.busy_us().end(), std::int64_t{0});
    return report;
}

void Machine::reset_report() {
    report = {};
    report.since_us = now_us;
    report.sessions_peak = sessions.size();
    outgoing_.forget_bytes_out();
    cpu.forget_busy();
}

void Machine::reboot(std::int64_t down_us) {
    std::vector<SessionId> ended;
    for (const auto& [id, session] : sessions)
        ended.push_back(id);
    listeners_.clear();
    notices_.clear();
    telling_ = false;
    inbox_.clear();
    outgoing_.clear();
    cpu.remove_if([](const Job&) { return true; }, now_us);
    cpu.resume(now_us);
    hung_ = false;
    resume_at_us_.reset();
    sessions.clear();
    for (const SessionId id : ended)
        outgoing_.send_at_once({.session = id, .close = true, .reset = true});
    device.reboot(now_us);
    records.reboot();
    for (Conntrack& conntrack : conntracks_)
        conntrack.clear();
    booted_us_ = now_us + down_us;
    up_at_us = booted_us_;
    advance(now_us);
}

void Machine::hang(std::int64_t for_us) {
    if (up_at_us || hung_) return;
    hung_ = true;
    cpu.pause(now_us);
    outgoing_.hold();
    if (for_us > 0) resume_at_us_ = now_us + for_us;
}

void Machine::resume() {
    wake();
    advance(now_us);
}

void Machine::wake() {
    hung_ = false;
    resume_at_us_.reset();
    outgoing_.release(now_us);
    cpu.resume(now_us);
}

std::int64_t Machine::uptime_s(std::int64_t at_us) const {
    return std::max<std::int64_t>(0, at_us - booted_us_) / 1'000'000;
}

}  // namespace rossim
