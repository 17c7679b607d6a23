// Mutated DNS messages, read by us and by ldns: what both accept means the same.
//
// Queries: header, question, EDNS with its options. Responses: we build the answer, send it as a
// reply, and ldns reads both. Then sections, owners, types, classes, TTLs, RDATA and the OPT are
// compared, and the tables of TTLs and addresses of our answer.
//
// Where only one side accepts a message, one row of the table below names the reason, which is
// checked in the message. The reader that checks it (Critic) has its own rules for names; of the
// product it uses the table of RDATA layouts.
//
//   messages CORPUS_FOLDER [--count N] [--seed N]
#include <stdbool.h>  // otherwise ldns makes macros of bool, true and false

#include <ldns/ldns.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <functional>
#include <iterator>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "dataplane/dns/answer.h"
#include "dataplane/dns/name.h"
#include "dataplane/dns/options.h"
#include "dataplane/dns/query.h"
#include "dataplane/dns/rdata.h"
#include "support/mutator.h"

namespace steer::differential {
namespace {

using Bytes = std::vector<std::uint8_t>;
using Message = std::span<const std::uint8_t>;

//  name, why only one of the two accepts it
#define STEER_STRICTER(X)                                                                   \
    X(header_flags, "we: a query has QR=0 and opcode QUERY, a response QR=1")               \
    X(question_count, "we: exactly one question")                                           \
    X(question_pointer, "we: the name of the question is not compressed")                   \
    X(query_sections, "we: a query has no records but additional ones")                     \
    X(query_type, "we: a query's type is one that a zone can have, or ANY")                 \
    X(query_owner, "we: owners in a query's additional section are not compressed")         \
    X(query_option, "we: options fit their OPT; subnet and cookie have lengths that exist") \
    X(opt_version, "we: EDNS version 0")                                                    \
    X(opt_place, "we: one OPT, at the root, in the additional section")                     \
    X(trailing_bytes, "we: a query ends with its last record")                              \
    X(pointer_forward, "we: a pointer leads strictly backwards (RFC 9267)")                 \
    X(pointer_elsewhere, "we: a pointer leads to an earlier name, or into opaque RDATA")    \
    X(pointer_forbidden, "we: no pointer in RDATA of types after RFC 3597")                 \
    X(rdata_length, "we: RDLENGTH is exactly what the type's fields take")                  \
    X(cut_response, "ldns: a response with TC may not end inside a record")                 \
    X(rdata_fields, "ldns: reads the fields of types whose RDATA is opaque to us")          \
    X(fields_end, "ldns: goes on behind the last field that it knows, not behind RDLENGTH") \
    X(tsig_apart, "ldns: keeps a TSIG apart, and then reads one additional record fewer")
enum class Why : std::uint8_t {
#define STEER_WHY_ENUM(name, text) name,
    STEER_STRICTER(STEER_WHY_ENUM)
#undef STEER_WHY_ENUM
};
constexpr std::array kWhys{
#define STEER_WHY_TEXT(name, text) text,
    STEER_STRICTER(STEER_WHY_TEXT)
#undef STEER_WHY_TEXT
};

struct FreePacket {
    void operator()(ldns_pkt* packet) const { ldns_pkt_free(packet); }
};
using Packet = std::unique_ptr<ldns_pkt, FreePacket>;

Packet read_by_ldns(Message message) {
    ldns_pkt* packet = nullptr;
    if (ldns_wire2pkt(&packet, message.data(), message.size()) != LDNS_STATUS_OK) return nullptr;
    return Packet(packet);
}

// ---- why we are stricter, without code of the product

bool is_compressed(Message m, std::size_t at) {
    while (at < m.size() && m[at] != 0 && m[at] < 0xc0)
        at += m[at] + 1U;
    return at < m.size() && m[at] >= 0xc0;
}

// Reads a response as far as it can, and notes the first thing that we do not accept.
class Critic {
  public:
    explicit Critic(Message m) : m_(m), starts_(m.size() + 1) {}

    std::optional<Why> judge() {
        if (m_.size() < 12) return std::nullopt;
        if ((m_[2] & 0x80) == 0 || (m_[2] & 0x78) != 0) return Why::header_flags;
        if (number(4) != 1) return Why::question_count;
        if (is_compressed(m_, 12)) return Why::question_pointer;
        std::size_t at = name(12);
        if (why_ || at == 0) return why_;
        at += 4;
        unsigned opts = 0;
        for (unsigned section = 0; section < 3; ++section) {
            for (unsigned left = number(6 + 2 * section); left > 0; --left) {
                const bool is_root = at < m_.size() && m_[at] == 0;
                at = name(at);
                if (why_ || at == 0 || at + 10 > m_.size()) return why_;
                const unsigned type = number(at);
                const std::size_t rdata = at + 10, end = rdata + number(at + 8);
                if (type == 41 && (section != 2 || !is_root || ++opts > 1)) return Why::opt_place;
                if (end > m_.size()) return Why::rdata_length;
                fields(type, number(at + 2), rdata, end);
                if (why_) return why_;
                at = end;
            }
        }
        return std::nullopt;
    }

  private:
    [[nodiscard]] unsigned number(std::size_t at) const {
        return static_cast<unsigned>(m_[at] << 8 | m_[at + 1]);
    }
    void note(Why why) {
        if (!why_) why_ = why;
    }
    // The offset behind it; 0: it cannot be read.
    std::size_t name(std::size_t at, bool may_point = true) {
        std::size_t run = at, end = 0, jumps = 0;
        while (at < m_.size()) {
            if (end == 0) starts_[at] = true;
            if (end != 0 && !starts_[at]) note(Why::pointer_elsewhere);
            if (m_[at] == 0) return end != 0 ? end : at + 1;
            if (m_[at] < 0xc0) {
                at += m_[at] + 1U;
                continue;
            }
            if (at + 1 >= m_.size() || ++jumps > 200) return 0;
            if (end == 0) end = at + 2;
            if (!may_point) note(Why::pointer_forbidden);
            const std::size_t target = number(at) & 0x3fff;
            if (target >= run) note(Why::pointer_forward);
            at = run = target;
        }
        return 0;
    }
    void fields(unsigned type, unsigned klass, std::size_t at, std::size_t end) {
        if (klass == 1 && (type == 1 || type == 28)) {
            if (end - at != (type == 1 ? 4U : 16U)) note(Why::rdata_length);
            return;
        }
        const auto layout = dns::rdata_layout(static_cast<std::uint16_t>(type));
        if (layout.rule == dns::NameRule::none) {
            for (; type != 41 && at < end; ++at)
                starts_[at] = true;
            return;
        }
        at += layout.fixed;
        for (unsigned i = 0; i < layout.strings && at < end; ++i)
            at += m_[at] + 1U;
        for (unsigned i = 0; i < layout.names; ++i) {
            if (at >= end) return note(Why::rdata_length);
            at = name(at, layout.rule != dns::NameRule::whole);
            if (at == 0) return note(Why::rdata_length);
        }
        if (at > end || (layout.rest >= 0 && end - at != static_cast<std::size_t>(layout.rest)))
            note(Why::rdata_length);
    }

    Message m_;
    std::vector<bool> starts_;  // where a name may go on
    std::optional<Why> why_;
};

// ---- texts of what ldns has read

std::string lower_hex(const ldns_rdf* field) {
    static constexpr std::string_view kDigits = "0123456789abcdef";
    const bool is_name = ldns_rdf_get_type(field) == LDNS_RDF_TYPE_DNAME;
    std::string text;
    for (std::size_t i = 0; i < ldns_rdf_size(field); ++i) {
        unsigned byte = ldns_rdf_data(field)[i];
        if (is_name && byte >= 'A' && byte <= 'Z') byte |= 0x20;
        text += kDigits[byte >> 4];
        text += kDigits[byte & 15];
    }
    return text;
}

struct RecordText {
    std::string name_and_data;
    std::uint32_t ttl_s;
};

std::vector<RecordText> texts(const ldns_rr_list* list) {
    std::vector<RecordText> all;
    for (std::size_t i = 0; i < ldns_rr_list_rr_count(list); ++i) {
        const ldns_rr* const rr = ldns_rr_list_rr(list, i);
        std::string text = lower_hex(ldns_rr_owner(rr)) + " type " +
                           std::to_string(ldns_rr_get_type(rr)) + " class " +
                           std::to_string(ldns_rr_get_class(rr)) + " data ";
        for (std::size_t f = 0; f < ldns_rr_rd_count(rr); ++f)
            text += lower_hex(ldns_rr_rdf(rr, f));
        all.push_back({text, ldns_rr_ttl(rr)});
    }
    return all;
}

std::array<const ldns_rr_list*, 3> sections(const Packet& packet) {
    return {ldns_pkt_answer(packet.get()), ldns_pkt_authority(packet.get()),
            ldns_pkt_additional(packet.get())};
}

unsigned opts_in(const Packet& packet) {
    unsigned count = 0;
    for (const ldns_rr_list* list : sections(packet)) {
        for (std::size_t i = 0; i < ldns_rr_list_rr_count(list); ++i)
            count += ldns_rr_get_type(ldns_rr_list_rr(list, i)) == LDNS_RR_TYPE_OPT ? 1U : 0U;
    }
    return count;
}

// The records that the header counts.
unsigned records_of(Message m) {
    return unsigned{dns::load_be16(&m[6])} + dns::load_be16(&m[8]) + dns::load_be16(&m[10]);
}

// Whether ldns ends a record elsewhere than RDLENGTH does, and so reads the next one from a wrong
// place.
bool is_misread_by_ldns(Message m) {
    std::size_t at = dns::skip_name(m, dns::kHeaderSize);
    if (at == 0) return false;
    at += dns::kTypeAndClass;
    for (unsigned left = records_of(m); left > 0; --left) {
        const std::size_t fixed = dns::skip_name(m, at);
        if (fixed == 0 || fixed + 10 > m.size()) return false;
        const std::size_t end = fixed + 10 + std::size_t{dns::load_be16(&m[fixed + 8])};
        ldns_rr* rr = nullptr;
        std::size_t theirs = at;
        const bool is_read =
            ldns_wire2rr(&rr, m.data(), m.size(), &theirs, LDNS_SECTION_ANSWER) == LDNS_STATUS_OK;
        if (is_read) ldns_rr_free(rr);
        if (is_read && theirs != end) return true;
        if (end > m.size()) return false;
        at = end;
    }
    return false;
}

// Whether there is a record with fields that we carry as bytes.
bool has_opaque_fields(Message m, std::size_t at) {
    for (unsigned left = records_of(m); left > 0; --left) {
        at = dns::skip_name(m, at);
        if (at == 0 || at + 10 > m.size()) return false;
        const unsigned type = dns::load_be16(&m[at]), klass = dns::load_be16(&m[at + 2]);
        const auto layout = dns::rdata_layout(static_cast<std::uint16_t>(type));
        const bool is_address = klass == 1 && (type == 1 || type == 28);
        if (!is_address && (layout.rule == dns::NameRule::none || layout.rest != 0)) return true;
        at += 10 + std::size_t{dns::load_be16(&m[at + 8])};
        if (at > m.size()) return false;
    }
    return false;
}

// ---- the comparison

class Comparison {
  public:
    // False: it differs, and the difference was printed.
    bool compare(Message message, const std::string& origin) {
        difference_.clear();
        query(message);
        if (difference_.empty()) response(message);
        if (difference_.empty()) return true;
        std::printf("%s: %s\n", origin.c_str(), difference_.c_str());
        for (const std::uint8_t byte : message)
            std::printf("%02x", byte);
        std::printf("\n");
        return false;
    }
    void print() const {
        std::printf(
            "%zu queries and %zu responses mean the same to both; both refuse %zu and %zu\n",
            same_queries_, same_responses_, refused_queries_, refused_responses_);
        for (const auto& [why, count] : reasons_)
            std::printf("%10zu  %s\n", count, kWhys[static_cast<std::size_t>(why)]);
    }
    [[nodiscard]] std::size_t same() const { return std::min(same_queries_, same_responses_); }

  private:
    void expect(bool holds, const std::string& what) {
        if (!holds && difference_.empty()) difference_ = what;
    }
    void one_side(std::optional<Why> why, const char* who, std::size_t number) {
        if (!why) return expect(false, std::string("only ") + who + ", " + std::to_string(number));
        ++reasons_[*why];
    }

    void query(Message m) {
        dns::Query query;
        const dns::QueryError error = dns::parse_query(m, query);
        const Packet packet = read_by_ldns(m);
        if (error != dns::QueryError::none) {
            if (packet == nullptr) {
                ++refused_queries_;
                return;
            }
            std::optional<Why> why = why_no_query(error, m, packet);
            if (!why && is_misread_by_ldns(m)) why = Why::fields_end;
            if (!why && ldns_pkt_tsig(packet.get()) != nullptr) why = Why::tsig_apart;
            return one_side(why, "ldns reads this query: our error is",
                            static_cast<std::size_t>(error));
        }
        if (packet == nullptr) {
            // No record of a query but the OPT is read by us.
            const unsigned opts = query.edns.present ? 1 : 0;
            const bool has_fields = dns::load_be16(&m[10]) > opts;
            return one_side(has_fields ? std::optional(Why::rdata_fields) : std::nullopt,
                            "we read this query", 0);
        }
        if (is_misread_by_ldns(m)) {
            ++reasons_[Why::fields_end];
            return;
        }
        ++same_queries_;
        const ldns_pkt* const p = packet.get();
        expect(ldns_pkt_id(p) == query.id, "the id differs");
        expect(ldns_pkt_rd(p) == ((query.flags & dns::kRd) != 0), "RD differs");
        expect(ldns_pkt_cd(p) == ((query.flags & dns::kCd) != 0), "CD differs");
        expect(ldns_pkt_ad(p) == ((query.flags & dns::kAd) != 0), "AD differs");
        const ldns_rr* const question = ldns_rr_list_rr(ldns_pkt_question(p), 0);
        expect(ldns_rr_get_type(question) == query.qtype, "the type of the question differs");
        expect(ldns_rr_get_class(question) == query.qclass, "the class of the question differs");
        const ldns_rdf* const owner = ldns_rr_owner(question);
        expect(dns::same_name({ldns_rdf_data(owner), ldns_rdf_size(owner)}, query.name()),
               "the name of the question differs");
        expect(ldns_pkt_edns(p) == query.edns.present, "EDNS differs");
        if (!query.edns.present) return;
        expect(ldns_pkt_edns_do(p) == query.edns.dnssec_ok, "DO differs");
        expect(std::max<unsigned>(ldns_pkt_edns_udp_size(p), 512) == query.edns.udp_size,
               "the UDP size differs");
        expect(ldns_pkt_edns_version(p) == 0, "the EDNS version differs");
        options(packet, dns::options_of(m, query.question_end));
    }

    void options(const Packet& packet, Message ours) {
        const ldns_rdf* const data = ldns_pkt_edns_data(packet.get());
        const Message theirs =
            data == nullptr ? Message{} : Message{ldns_rdf_data(data), ldns_rdf_size(data)};
        expect(std::ranges::equal(ours, theirs), "the options differ");
    }

    // The message is a query that only ldns reads.
    static std::optional<Why> why_no_query(dns::QueryError error, Message m, const Packet& packet) {
        using enum dns::QueryError;
        const ldns_pkt* const p = packet.get();
        const auto if_so = [](bool holds, Why why) {
            return holds ? std::optional(why) : std::nullopt;
        };
        switch (error) {
            case is_response:
                return if_so(ldns_pkt_qr(p), Why::header_flags);
            case bad_opcode:
                return if_so(ldns_pkt_get_opcode(p) != LDNS_PACKET_QUERY, Why::header_flags);
            case question_count:
                return if_so(ldns_pkt_qdcount(p) != 1, Why::question_count);
            case bad_name:
                return if_so(is_compressed(m, dns::kHeaderSize), Why::question_pointer);
            case bad_sections:
                return if_so(ldns_pkt_ancount(p) + ldns_pkt_nscount(p) != 0, Why::query_sections);
            case no_record_type:
            case not_served_type: {
                const unsigned type = ldns_rr_get_type(ldns_rr_list_rr(ldns_pkt_question(p), 0));
                return if_so(type == 0 || type == 41 || (type >= 128 && type < 255),
                             Why::query_type);
            }
            case bad_opt:
                return why_bad_opt(m);
            case bad_option:
                return if_so(ldns_pkt_edns(p) && ldns_pkt_edns_data(p) != nullptr,
                             Why::query_option);
            case bad_edns_version:
                return if_so(ldns_pkt_edns_version(p) != 0, Why::opt_version);
            case trailing_bytes:
                return if_so(end_of(m) < m.size(), Why::trailing_bytes);
            case none:
            case short_header:
            case short_question:
            case no_recursion:
            case any_type:
                break;
        }
        return std::nullopt;
    }
    static std::optional<Why> why_bad_opt(Message m) {
        std::size_t at = dns::skip_name(m, dns::kHeaderSize) + 4;
        unsigned opts = 0;
        for (unsigned left = dns::load_be16(&m[10]); left > 0; --left) {
            if (is_compressed(m, at)) return Why::query_owner;
            const bool is_root = at < m.size() && m[at] == 0;
            at = dns::skip_name(m, at);
            if (at == 0 || at + 10 > m.size()) return std::nullopt;
            if (dns::load_be16(&m[at]) == 41 && (!is_root || ++opts > 1)) return Why::opt_place;
            at += 10 + std::size_t{dns::load_be16(&m[at + 8])};
            if (at > m.size()) return std::nullopt;
        }
        return std::nullopt;
    }
    // The end of a query's last record.
    static std::size_t end_of(Message m) {
        std::size_t at = dns::skip_name(m, dns::kHeaderSize) + 4;
        for (unsigned left = dns::load_be16(&m[10]); left > 0; --left) {
            at = dns::skip_name(m, at);
            if (at == 0 || at + 10 > m.size()) return m.size();
            at += 10 + std::size_t{dns::load_be16(&m[at + 8])};
        }
        return at;
    }

    void response(Message m) {
        if (m.size() < dns::kHeaderSize) return;
        const std::size_t length = dns::plain_name_length(m.subspan(dns::kHeaderSize));
        const Packet packet = read_by_ldns(m);
        const bool has_question =
            length != 0 && dns::kHeaderSize + length + dns::kTypeAndClass <= m.size();
        dns::UpstreamFacts facts;
        auto error = dns::AnswerError::malformed;
        Message qname;
        std::uint16_t qtype = 0, qclass = 0;
        if (has_question) {
            qname = m.subspan(dns::kHeaderSize, length);
            qtype = dns::load_be16(&m[dns::kHeaderSize + length]);
            qclass = dns::load_be16(&m[dns::kHeaderSize + length + 2]);
            error = dns::build_answer(m, qname, qtype, qclass, true, block_->bytes, facts,
                                      dns::Records::all);
        }
        if (error != dns::AnswerError::none) {
            if (packet == nullptr) {
                ++refused_responses_;
                return;
            }
            std::optional<Why> why = Critic(m).judge();
            if (!why && is_misread_by_ldns(m)) why = Why::fields_end;
            if (!why && ldns_pkt_tsig(packet.get()) != nullptr) why = Why::tsig_apart;
            return one_side(why, "ldns reads this response: our error is",
                            static_cast<std::size_t>(error));
        }
        if (facts.no_question) return;  // an error alone
        if (packet == nullptr) {
            const bool is_cut = (facts.flags & dns::kTc) != 0;
            const bool has_fields =
                has_opaque_fields(m, dns::kHeaderSize + length + dns::kTypeAndClass);
            return one_side(is_cut       ? std::optional(Why::cut_response)
                            : has_fields ? std::optional(Why::rdata_fields)
                                         : std::nullopt,
                            "we read this response", 0);
        }
        // Of a response with TC we keep what comes before the first thing that we refuse.
        const bool is_cut = (facts.flags & dns::kTc) != 0;
        const std::optional<Why> why = is_cut ? Critic(m).judge() : std::nullopt;
        if (why) {
            ++reasons_[*why];
            return;
        }
        if (is_misread_by_ldns(m)) {
            ++reasons_[Why::fields_end];
            return;
        }
        if (ldns_pkt_tsig(packet.get()) != nullptr) {
            ++reasons_[Why::tsig_apart];
            return;
        }
        ++same_responses_;
        same_meaning(packet, facts, qname, qtype, qclass);
    }

    void same_meaning(const Packet& theirs, const dns::UpstreamFacts& facts, Message qname,
                      std::uint16_t qtype, std::uint16_t qclass) {
        const dns::Answer& answer = block_->answer();
        const ldns_pkt* const p = theirs.get();
        expect(ldns_pkt_tc(p) == ((answer.flags & dns::kTc) != 0), "TC differs");
        expect(ldns_pkt_ad(p) == ((answer.flags & dns::kAd) != 0), "AD differs");
        const unsigned extended = facts.has_opt ? ldns_pkt_edns_extended_rcode(p) : 0U;
        const unsigned rcode = extended << 4 | static_cast<unsigned>(ldns_pkt_get_rcode(p));
        const unsigned plain = rcode < 16    ? rcode
                               : rcode == 16 ? unsigned{dns::kFormErr}
                                             : unsigned{dns::kServFail};
        expect(facts.rcode == plain, "the rcode differs");
        expect(opts_in(theirs) == 0, "an OPT is left among the records");
        expect(ldns_pkt_edns(p) == facts.has_opt, "EDNS of the response differs");
        if (facts.has_opt) options(theirs, facts.options);

        Bytes& sent = sent_;
        sent.resize(dns::kMaxMessage);
        const std::size_t asked =
            dns::write_query(sent, 7, qname, qtype, qclass, true, true, false, false);
        dns::Query query;
        if (dns::parse_query(Message(sent).first(asked), query) != dns::QueryError::none) return;
        bool is_truncated = false;
        const std::size_t size = dns::write_reply(
            sent, query, answer, {.max_size = static_cast<std::uint16_t>(dns::kMaxMessage)},
            is_truncated);
        if (is_truncated) return;  // longer without the compression that the upstream had
        const Packet ours = read_by_ldns(Message(sent).first(size));
        if (ours == nullptr) return expect(false, "ldns does not read our reply");
        const bool is_negative_soa = answer.has_soa;
        for (unsigned section = 0; section < 3; ++section)
            same_section(texts(sections(theirs)[section]), texts(sections(ours)[section]), section,
                         is_negative_soa);
        same_tables(theirs, answer);
    }

    void same_section(const std::vector<RecordText>& theirs, const std::vector<RecordText>& ours,
                      unsigned section, bool is_negative) {
        const std::string where = "section " + std::to_string(section) + ": ";
        expect(theirs.size() == ours.size(), where + "the number of records differs");
        for (std::size_t i = 0; i < std::min(theirs.size(), ours.size()); ++i) {
            expect(theirs[i].name_and_data == ours[i].name_and_data,
                   where + theirs[i].name_and_data + " is ours " + ours[i].name_and_data);
            const std::uint32_t ttl_s = (theirs[i].ttl_s & 0x80000000U) != 0 ? 0 : theirs[i].ttl_s;
            const bool is_soa = section == 1 && is_negative &&
                                theirs[i].name_and_data.find(" type 6 ") != std::string::npos;
            expect(ttl_s == ours[i].ttl_s || (is_soa && ours[i].ttl_s < ttl_s),
                   where + "the TTL differs");
        }
    }

    // The tables of the answer, against the records as ldns has them.
    void same_tables(const Packet& theirs, const dns::Answer& answer) {
        std::size_t records = 0, address = 0;
        for (const ldns_rr_list* list : sections(theirs)) {
            for (std::size_t i = 0; i < ldns_rr_list_rr_count(list); ++i, ++records) {
                const ldns_rr* const rr = ldns_rr_list_rr(list, i);
                if (list != sections(theirs)[0] || ldns_rr_get_class(rr) != LDNS_RR_CLASS_IN)
                    continue;
                const auto type = ldns_rr_get_type(rr);
                if (type != LDNS_RR_TYPE_A && type != LDNS_RR_TYPE_AAAA) continue;
                if (address >= answer.address_count)
                    return expect(false, "an address is not in the table");
                const dns::AddressRef& at = answer.addresses()[address++];
                const ldns_rdf* const field = ldns_rr_rdf(rr, 0);
                expect(std::equal(ldns_rdf_data(field), ldns_rdf_data(field) + ldns_rdf_size(field),
                                  answer.body() + at.rdata_offset),
                       "an address in the table differs");
            }
        }
        expect(records == answer.ttl_count, "the table of TTLs has another length");
        expect(address == answer.address_count, "the table of addresses has another length");
    }

    struct Block {
        alignas(8) std::array<std::uint8_t, dns::kMaxMessage + 28 * 1024> bytes;
        [[nodiscard]] const dns::Answer& answer() const {
            return *reinterpret_cast<const dns::Answer*>(bytes.data());
        }
    };
    std::unique_ptr<Block> block_ = std::make_unique<Block>();
    Bytes sent_;
    std::string difference_;
    std::map<Why, std::size_t> reasons_;
    std::size_t same_queries_ = 0, same_responses_ = 0, refused_queries_ = 0,
                refused_responses_ = 0;
};

constexpr std::size_t kMostBytes = 1'400;  // of a message that is mutated

// The messages that ldns reads, in a fixed order.
std::vector<Bytes> corpus(const std::filesystem::path& root,
                          std::initializer_list<const char*> folders) {
    std::vector<std::filesystem::path> files;
    for (const char* const folder : folders) {
        for (const auto& entry : std::filesystem::directory_iterator(root / folder))
            files.push_back(entry.path());
    }
    std::ranges::sort(files);
    std::vector<Bytes> all;
    for (const auto& file : files) {
        std::ifstream in(file, std::ios::binary);
        Bytes bytes{std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
        if (bytes.size() <= kMostBytes && read_by_ldns(bytes) != nullptr)
            all.push_back(std::move(bytes));
    }
    return all;
}

int run(int argc, char** argv) {
    std::uint32_t count = 200'000, seed = 1;
    for (int i = 2; i + 1 < argc; i += 2) {
        const auto number = static_cast<std::uint32_t>(std::strtoul(argv[i + 1], nullptr, 10));
        if (std::string_view(argv[i]) == "--count") count = number;
        if (std::string_view(argv[i]) == "--seed") seed = number;
    }
    if (argc < 2) {
        std::fprintf(stderr, "usage: %s CORPUS_FOLDER [--count N] [--seed N]\n", argv[0]);
        return 2;
    }
    const std::array<std::vector<Bytes>, 2> messages{corpus(argv[1], {"fuzz_query"}),
                                                     corpus(argv[1], {"fuzz_answer", "fuzz_walk"})};
    if (messages[0].empty() || messages[1].empty()) {
        std::fprintf(stderr, "messages: %s has no corpus of messages\n", argv[1]);
        return 2;
    }
    Comparison comparison;
    std::size_t differences = 0;
    for (const auto& kind : messages) {
        for (const Bytes& message : kind)
            differences += comparison.compare(message, "a file of the corpus") ? 0U : 1U;
    }
    test::Random random(seed);
    for (std::uint32_t i = 0; i < count && differences < 5; ++i) {
        const auto& kind = messages[i % 2];
        Bytes message = kind[i / 2 % kind.size()];
        test::mutate(message, random, 3);
        differences += comparison.compare(message, "message " + std::to_string(i)) ? 0U : 1U;
    }
    comparison.print();
    if (differences > 0) return 1;
    // Most mutations must leave something to compare, or the corpus has become useless.
    return comparison.same() * 100 < count ? 1 : 0;
}

}  // namespace
}  // namespace steer::differential

int main(int argc, char** argv) {
    return steer::differential::run(argc, argv);
}
