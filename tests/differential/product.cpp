#include "differential/product.h"

#include <rte_malloc.h>
#include <rte_rcu_qsbr.h>

#include <arpa/inet.h>
#include <array>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <optional>
#include <stdexcept>

#include "control/config/load.h"
#include "control/program/build/build.h"
#include "dataplane/base/injected_texts.h"
#include "dataplane/dns/name.h"
#include "dataplane/policy/branch.h"
#include "dataplane/policy/decision.h"
#include "dataplane/policy/executor.h"
#include "dataplane/policy/key_facts.h"
#include "differential/geo.h"
#include "differential/world.h"
#include "support/dns_message.h"
#include "support/temp_folder.h"

namespace steer::differential {
namespace {

using test::Bytes;
using test::DnsMessage;

// Until everything that a case before it left in the cache is too old.
constexpr std::uint64_t kBetweenCasesMs = 100'000'000;

Bytes address_bytes(const std::string& text) {
    const bool is_v6 = text.find(':') != std::string::npos;
    Bytes bytes(is_v6 ? 16 : 4);
    if (inet_pton(is_v6 ? AF_INET6 : AF_INET, text.c_str(), bytes.data()) != 1)
        throw std::runtime_error("no address: " + text);
    return bytes;
}

DnsMessage message_of(const Question& q, const Reply& reply) {
    DnsMessage m(7, static_cast<std::uint16_t>(0x8180 | reply.rcode));
    m.question(q.name, q.type, q.klass);
    for (const Record& r : reply.answer) {
        Bytes data;
        if (r.type == kCname) {
            data = test::wire_name(r.data);
        } else if (r.type == kTxt) {
            data.assign(r.data.begin(), r.data.end());
            data.insert(data.begin(), static_cast<std::uint8_t>(r.data.size()));
        } else {
            data = address_bytes(r.data);
        }
        m.record(DnsMessage::kAnswer, test::wire_name(r.owner), r.type, r.ttl_s, data);
    }
    if (reply.soa)
        m.soa(reply.soa->owner, reply.soa->ttl_s,
              static_cast<std::uint32_t>(std::stoul(reply.soa->data)));
    return m;
}

// The files that configurations name.
struct Folder : test::TempFolder {
    Folder() {
        write("geosite.dat", geosite_file());
        write("geoip.dat", geoip_file());
    }
};

// A reply as a client reads it.
class Reading {
  public:
    explicit Reading(const Bytes& message) : m_(message) {}

    void into(Outcome& out) {
        out.rcode = u16(2) & 15U;
        const unsigned answers = u16(6), authority = u16(8), others = u16(10);
        at_ = 12;
        (void)name();
        at_ += 4;
        for (unsigned i = 0; i < answers + authority + others; ++i) {
            Record r = record();
            if (r.type == 41) {
                read_errors(out);
            } else {
                out.records.push_back(std::move(r));
            }
        }
    }

  private:
    [[nodiscard]] unsigned u16(std::size_t at) const { return m_.at(at) * 256U + m_.at(at + 1); }
    std::string name() {
        std::string out;
        const std::string rest = name_at(at_, out);
        while (m_.at(at_) != 0 && m_[at_] < 0xc0)
            at_ += m_[at_] + 1U;
        at_ += m_[at_] == 0 ? 1U : 2U;
        return out;
    }
    std::string name_at(std::size_t at, std::string& out) const {
        while (m_.at(at) != 0) {
            if (m_[at] >= 0xc0) {
                at = u16(at) & 0x3fffU;
                continue;
            }
            if (!out.empty()) out += '.';
            for (unsigned i = 1; i <= m_[at]; ++i)
                out += static_cast<char>(m_.at(at + i) >= 'A' && m_[at + i] <= 'Z' ? m_[at + i] + 32
                                                                                   : m_[at + i]);
            at += m_[at] + 1U;
        }
        return out;
    }
    Record record() {
        Record r;
        r.owner = name();
        r.type = static_cast<std::uint16_t>(u16(at_));
        r.ttl_s = u16(at_ + 4) << 16 | u16(at_ + 6);
        const std::size_t length = u16(at_ + 8);
        at_ += 10;
        const std::size_t end = at_ + length;
        if (r.type == kA || r.type == kAaaa) {
            std::array<char, INET6_ADDRSTRLEN> text{};
            inet_ntop(r.type == kA ? AF_INET : AF_INET6, &m_.at(at_), text.data(), text.size());
            r.data = text.data();
        } else if (r.type == kCname) {
            r.data = name();
        } else if (r.type == kTxt) {
            r.data.assign(m_.begin() + static_cast<std::ptrdiff_t>(at_) + 1,
                          m_.begin() + static_cast<std::ptrdiff_t>(end));
        } else if (r.type == kSoa) {
            r.data = std::to_string(u16(end - 4) << 16 | u16(end - 2));
        } else if (r.type == 41) {
            opt_ = {at_, end};
        }
        at_ = end;
        return r;
    }
    void read_errors(Outcome& out) const {
        constexpr unsigned kEde = 15, kBlocked = 15, kFiltered = 17;
        for (std::size_t at = opt_.first; at + 4 <= opt_.second; at += 4 + u16(at + 2)) {
            if (u16(at) != kEde) continue;
            const unsigned code = u16(at + 4);
            out.nobody_answered |= code == 0;
            if (code < kBlocked || code > kFiltered) continue;
            const auto text = m_.begin() + static_cast<std::ptrdiff_t>(at) + 6;
            out.block = std::to_string(code) + " " + std::string(text, text + (u16(at + 2) - 2));
        }
    }

    const Bytes& m_;
    std::size_t at_ = 0;
    std::pair<std::size_t, std::size_t> opt_;
};

// What `streams` would have brought the question in.
class InjectedBuffer {
  public:
    InjectedBuffer(BufferPools& pools, const Question& question) : buffer_(pools.take(1000)) {
        InjectedQuery head{};
        head.server_name_length = static_cast<std::uint8_t>(question.server_name.size());
        head.url_path_length = static_cast<std::uint8_t>(question.url_path.size());
        const std::string texts = question.server_name + question.url_path;
        std::memcpy(buffer_->data(), &head, sizeof head);
        std::memcpy(buffer_->data() + sizeof head, texts.data(), texts.size());
    }
    ~InjectedBuffer() { release(buffer_); }
    InjectedBuffer(const InjectedBuffer&) = delete;
    InjectedBuffer& operator=(const InjectedBuffer&) = delete;
    [[nodiscard]] Buffer* get() const { return buffer_; }

  private:
    Buffer* buffer_;
};

}  // namespace

class Product::Impl {
  public:
    Impl()
        : qsbr_(static_cast<rte_rcu_qsbr*>(
              rte_zmalloc("differential", rte_rcu_qsbr_get_memsize(1), 64))) {
        rte_rcu_qsbr_init(qsbr_, 1);
        cache_.emplace(cache::CacheOptions{std::size_t{16} << 20, sizes_}, qsbr_);
        cache_writer_.emplace(0, &*cache_, std::span<Ring<Message>* const>{}, counters_);
        executor_.emplace(0, &*cache_, hasher_, pools_, *cache_writer_, &notes_, counters_);
    }
    ~Impl() {
        cache_.reset();
        rte_free(qsbr_);
    }
    Impl(const Impl&) = delete;
    Impl& operator=(const Impl&) = delete;

    std::vector<std::string> load(const std::string& yaml) {
        const auto sentences = [](const std::vector<Error>& errors) {
            std::vector<std::string> out;
            out.reserve(errors.size());
            for (const Error& e : errors)
                out.push_back(e.sentence());
            return out;
        };
        config::LoadOptions options;
        options.environment = [](const std::string& key) -> std::optional<std::string> {
            return key == "NAIVE_KEY" ? std::optional<std::string>("value") : std::nullopt;
        };
        options.base_dir = folder_.path;
        const auto loaded = config::load_text(yaml, "case.yaml", options);
        if (!loaded.ok()) return sentences(loaded.errors);
        auto built = build::build(loaded.settings, {}, registry_);
        if (!built.ok()) return sentences(built.errors);
        snapshot_ = std::move(built.snapshot);
        snapshot_->generation = ++generation_;
        world_ = {};
        now_.ms += kBetweenCasesMs;
        return {};
    }

    void put_file(const std::string& name, const std::string& content) const {
        folder_.write(name, content);
    }

    std::shared_ptr<LivePolicy> live_policy(const std::string& tag) {
        return registry_.live_policy(tag);
    }
    std::shared_ptr<LiveTargets> live_targets() { return registry_.live_targets(); }

    Outcome ask(const Question& question) {
        now_.ms += question.after_ms;
        DnsMessage m(7,
                     static_cast<std::uint16_t>(0x0100 | (question.checking_disabled ? 0x10 : 0)));
        m.question(question.name, question.type, question.klass).opt(4096, question.dnssec_ok);
        dns::Query query;
        if (dns::parse_query(m.bytes(), query) != dns::QueryError::none)
            throw std::runtime_error("a question that cannot be read");

        const auto client = *IpAddress::parse(question.client);
        query.over_v4 = client.is_v4();
        seen_ = {};
        QueryContext c(*snapshot_, query);
        c.qname_as_sent = m.bytes().data() + dns::kHeaderSize;
        c.started_us = now_.micros();
        c.client.address = client;
        const InjectedBuffer injected(pools_, question);
        c.injected = injected.get();
        entry_ = snapshot_->frontends.of_datagram(*IpAddress::parse(question.local), 53);
        if (!begin(c)) go(c, question);
        take(c, m.bytes());
        if (seen_.decision.empty()) seen_.decision = label_of(decision_of(c.snapshot, c.state));
        take_notes();
        for (std::size_t i = 0; i < snapshot_->tasks.size(); ++i) {
            if (snapshot_->tasks[i]->take()) seen_.raised.insert(snapshot_->task_tags[i]);
        }
        while (cache_->turn(now_, counters_)) {
        }
        // No reader uses the cache's entries any more.
        rte_rcu_qsbr_quiescent(qsbr_, 0);
        return seen_;
    }

    Now now_{1'000'000};
    unsigned plain_hits_ = 0;

  private:
    std::uint8_t entry_ = 0;  // by which the question arrived
    // As lookup() and Resolver::answer_hit() do. True: a plain hit was the answer.
    bool begin(QueryContext& c) {
        const Plan* plan = nullptr;
        if (c.snapshot.likely_cache >= 0) {
            c.found = found_in(c.snapshot.likely_cache, c);
            if (c.found != nullptr)
                plan = executor_->plan(c.snapshot, c.found->tags.load(), entry_);
        }
        if (plan == nullptr) plan = executor_->plan(c.snapshot, c.query, entry_);
        c.begin(plan, entry_);
        if (plan == nullptr || plan->cache < 0) return false;
        c.lookup_cache = plan->cache;
        if (c.snapshot.likely_cache < 0) c.found = found_in(plan->cache, c);
        if (c.found == nullptr || c.found->tags.load() >> 32 < c.snapshot.generation) return false;
        const Plan* const of_hit = executor_->plan(c.snapshot, c.found->tags.load(), entry_);
        HitLists claimed;
        if (of_hit == nullptr || !of_hit->hit_is_plain ||
            !Executor::claim_hit(c.snapshot, *of_hit, *c.found, claimed))
            return false;
        ++plain_hits_;
        c.response.set_entry(c.found);
        seen_.decision =
            label_of(decision_of_passed(of_hit->is_allowed, false, claimed.list_count != 0));
        for (unsigned l = 0; l < claimed.list_count; ++l)
            seen_.lists.insert(c.snapshot.lists[claimed.lists[l]].tag);
        return true;
    }
    const cache::Entry* found_in(int place, const QueryContext& c) {
        const cache::Entry* found = nullptr;
        const cache::KeyFacts facts =
            key_facts(c.query, c.snapshot.caches[static_cast<std::size_t>(place)]);
        const cache::Key key = hasher_(facts);
        cache_->lookup(&key, &facts, 1, now_.s(), &found);
        return found;
    }
    void go(QueryContext& c, const Question& question) {
        go_on(c, executor_->run(c, now_), question);
        for (unsigned l = 0; l < c.state.list_count; ++l)
            seen_.lists.insert(c.snapshot.lists[c.state.lists[l]].tag);
    }
    // As the resolver does when no upstream is late and no query sleeps for long.
    void go_on(QueryContext& c, Step step, const Question& question) {
        while (step != Step::answered) {
            if (step == Step::asks) {
                const Snapshot& s = c.snapshot;
                const std::string upstream =
                    s.upstreams[s.groups[c.group].members.front()].address.to_string();
                seen_.asked.push_back(upstream);
                step = executor_->resume(c, answer_of(c.asked(), question, upstream),
                                         dns::Ede::no_reachable, now_);
            } else if (step == Step::sleeps) {
                step = executor_->run(c, now_);
            } else {
                step = branch(c, question);
            }
        }
    }
    Step branch(QueryContext& c, const Question& question) {
        Branches b;
        std::array<dns::Query, kMaxBranches> queries{c.query, c.query};
        std::array<std::optional<QueryContext>, kMaxBranches> branches;
        for (;;) {
            const NextOfBranches next = next_branch(c, b);
            if (next == NextOfBranches::take_first)
                return executor_->take_branch(c, *branches[0], pointer_to(branches[1]), now_);
            if (next == NextOfBranches::take_second)
                return executor_->take_branch(c, *branches[1], pointer_to(branches[0]), now_);
            if (next == NextOfBranches::none) return executor_->skip_branches(c, now_);
            if (next == NextOfBranches::fail)
                return executor_->resume(c, nullptr, dns::Ede::no_reachable, now_);
            const unsigned which = next == NextOfBranches::begin_first ? 0 : 1;
            queries[which].qtype = branch_type(c, which);
            branches[which].emplace(c.snapshot, queries[which]);
            begin_branch(c, which, *branches[which]);
            go_on(*branches[which], executor_->run(*branches[which], now_), question);
            b.is[which] = end_of_branch(*branches[which]);
        }
    }
    static const QueryContext* pointer_to(const std::optional<QueryContext>& branch) {
        return branch ? &*branch : nullptr;
    }
    Buffer* answer_of(const dns::Query& query, const Question& question,
                      const std::string& upstream) {
        Question asked = question;
        asked.name = dns::name_to_text(query.name());
        asked.type = query.qtype;
        const auto reply = world_.ask(upstream, asked.name, asked.type, asked.klass);
        if (!reply) return nullptr;
        Buffer* const b = pools_.take(1000);
        dns::UpstreamFacts facts;
        const DnsMessage m = message_of(asked, *reply);
        if (dns::build_answer(m.bytes(), query.name(), query.qtype, query.qclass, false, b->room(),
                              facts, dns::Records::all) != dns::AnswerError::none)
            throw std::runtime_error("an answer that cannot be read");
        b->length = static_cast<std::uint32_t>(b->answer().size());
        b->serial = ++serial_;
        b->born_ms = static_cast<std::int64_t>(now_.ms);
        return b;
    }
    void take(const QueryContext& c, const Bytes& question) {
        seen_.dropped = c.state.dropped;
        if (seen_.dropped) return;
        Bytes reply = question;
        reply.resize(4096);
        bool truncated = false;
        const auto ede = c.response.ede();
        const dns::ReplyExtras extras{.ede_text = ede ? block_text(c.snapshot, c.state, *ede)
                                                      : std::string_view{}};
        const dns::ReplyOptions options{.age_s = c.response.age_s(now_.s()),
                                        .ttl_cap_s = c.response.ttl_cap_s(),
                                        .max_size = 4096,
                                        .ede = ede,
                                        .extras = &extras};
        reply.resize(dns::write_reply(reply, c.query, c.response.answer(), options, truncated));
        Reading(reply).into(seen_);
    }
    void take_notes() {
        Note n;
        while (notes_.pop(&n, 1) == 1) {
            seen_.notes.push_back((n.kind == NoteKind::debug ? "debug " : "summary ") +
                                  snapshot_->texts[n.text] + " " +
                                  (n.has_response != 0 ? std::to_string(n.rcode) : "none"));
        }
    }

    Folder folder_;
    Counters counters_;
    rte_rcu_qsbr* qsbr_;
    std::array<std::uint32_t, 2> sizes_{20'000, 20'000};
    BufferPools pools_{255, 7};
    std::array<std::uint8_t, 16> secret_{2};
    cache::KeyHasher hasher_{secret_};
    Ring<Note> notes_{256, nullptr};
    std::optional<cache::Cache> cache_;
    std::optional<CacheWriter> cache_writer_;
    std::optional<Executor> executor_;
    build::Registry registry_;
    std::unique_ptr<Snapshot> snapshot_;
    World world_;
    Outcome seen_;
    std::uint32_t generation_ = 0, serial_ = 0;
};

Product::Product() : impl_(std::make_unique<Impl>()) {}
Product::~Product() = default;

std::vector<std::string> Product::load(const std::string& yaml) {
    return impl_->load(yaml);
}

std::shared_ptr<LivePolicy> Product::live_policy(const std::string& tag) {
    return impl_->live_policy(tag);
}
std::shared_ptr<LiveTargets> Product::live_targets() {
    return impl_->live_targets();
}

void Product::put_file(const std::string& name, const std::string& content) {
    impl_->put_file(name, content);
}

Outcome Product::ask(const Question& question) {
    return impl_->ask(question);
}

std::uint64_t Product::now_ms() const {
    return impl_->now_.ms;
}

unsigned Product::plain_hits() const {
    return impl_->plain_hits_;
}

}  // namespace steer::differential
