#include "control/config/text/rdata_text.h"

#include <array>
#include <map>

#include "control/config/text/dns_names.h"

namespace steer::config {
namespace {

using Form = RdataForm;

constexpr std::array kForms{
    Form{"A", "192.0.2.1"},
    Form{"AAAA", "2001:db8::1"},
    Form{"CNAME", "www.example.org."},
    Form{"DNAME", "example.org."},
    Form{"NS", "ns.example.org."},
    Form{"PTR", "www.example.org."},
    Form{"MX", "10 mail.example.org."},
    Form{"KX", "10 kx.example.org."},
    Form{"TXT", "\"text\""},
    Form{"SPF", "\"v=spf1 -all\""},
    Form{"SRV", "0 5 5060 sip.example.org."},
    Form{"SOA", "ns.example.org. admin.example.org. 1 3600 1200 604800 300"},
    Form{"CAA", "0 issue \"ca.example.org\""},
    Form{"NAPTR", "100 10 \"S\" \"SIP+D2U\" \"\" _sip._udp.example.org."},
    Form{"TLSA", "3 1 1 0123ab"},
    Form{"SMIMEA", "3 1 1 0123ab"},
    Form{"SSHFP", "4 2 0123ab"},
    Form{"DS", "12345 13 2 0123ab"},
    Form{"URI", "10 1 \"https://www.example.org/\""},
    Form{"HINFO", "\"PC\" \"Linux\""},
    Form{"RP", "admin.example.org. info.example.org."},
    Form{"MINFO", "admin.example.org. errors.example.org."},
    Form{"TALINK", "a.example.org. b.example.org."},
    Form{"MB", "host.example.org."},
    Form{"MD", "host.example.org."},
    Form{"MF", "host.example.org."},
    Form{"MG", "member.example.org."},
    Form{"MR", "new.example.org."},
    Form{"NSAP-PTR", "host.example.org.", "PTR"},
    Form{"AFSDB", "1 afs.example.org."},
    Form{"RT", "10 relay.example.org."},
    Form{"LP", "10 l64.example.org."},
    Form{"PX", "10 map.example.org. mapx400.example.org."},
    Form{"X25", "311061700956"},
    Form{"ISDN", "150862028003217"},
    Form{"GPOS", "-32.6882 116.8652 10.0"},
    Form{"AVC", "\"app-name:example\"", "TXT"},
    Form{"NINFO", "\"text\"", "TXT"},
    Form{"RESINFO", "qnamemin exterr=15-17", "TXT"},
    Form{"WALLET", "BTC 1example", "TXT"},
    Form{"CDS", "12345 13 2 0123ab"},
    Form{"DLV", "12345 13 2 0123ab"},
    Form{"TA", "12345 13 2 0123ab", "DS"},
    Form{"DNSKEY", "257 3 13 mdsswUyr3DPW132mOi8V9xESWE8jTo0d"},
    Form{"CDNSKEY", "257 3 13 mdsswUyr3DPW132mOi8V9xESWE8jTo0d"},
    Form{"KEY", "256 3 13 mdsswUyr3DPW132mOi8V9xESWE8jTo0d"},
    Form{"RKEY", "0 3 13 mdsswUyr3DPW132mOi8V9xESWE8jTo0d", "DNSKEY"},
    Form{"CERT", "1 0 0 mdsswUyr3DPW132mOi8V9xESWE8jTo0d"},
    Form{"RRSIG", "A 13 2 3600 20300101000000 20260101000000 12345 example.org. mdss"},
    Form{"SIG", "A 13 2 3600 20300101000000 20260101000000 12345 example.org. mdss"},
    Form{"NSEC", "next.example.org. A MX RRSIG NSEC"},
    Form{"NSEC3", "1 0 10 ab12 2T7B4G4VSA5SMI47K61MV5BV1A22BOJR A RRSIG"},
    Form{"NSEC3PARAM", "1 0 10 ab12"},
    Form{"CSYNC", "66 3 A NS AAAA"},
    Form{"ZONEMD", "2026010100 1 1 0123ab"},
    Form{"DHCID", "AAIBY2/AuCccgoJbsaxcQc9TUapptP69lOjxfNuVAA2kjEA="},
    Form{"OPENPGPKEY", "mdsswUyr3DPW132mOi8V9xESWE8jTo0d"},
    Form{"EUI48", "00-00-5e-00-53-2a"},
    Form{"EUI64", "00-00-5e-ef-10-00-00-2a"},
    Form{"NID", "10 0014:4fff:ff20:ee64"},
    Form{"L64", "10 2001:0db8:1140:1000"},
    Form{"L32", "10 192.0.2.1"},
    Form{"SVCB", "1 . alpn=h2"},
    Form{"HTTPS", "1 . alpn=h2,h3"},
};

}  // namespace

const RdataForm* find_rdata_form(std::uint16_t type) {
    static const auto kByType = [] {
        std::map<std::uint16_t, const Form*> made;
        for (const Form& form : kForms)
            made.emplace(*parse_qtype(form.type), &form);
        return made;
    }();
    const auto at = kByType.find(type);
    return at == kByType.end() ? nullptr : at->second;
}

}  // namespace steer::config
