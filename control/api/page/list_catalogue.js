// Well-known lists of names to block: what they are for, how many names they have about, and their licence as their authors name
// it. Nothing of them is in this program: the daemon fetches a list from its author, who may change it at any time.
export const catalogue = [
  { name: "HaGeZi Light", use: "ads and trackers, rarely in the way", size: "70,000", licence: "GPL-3.0",
    url: "https://raw.githubusercontent.com/hagezi/dns-blocklists/main/adblock/light.txt" },
  { name: "HaGeZi Normal", use: "ads, trackers, phishing, malware", size: "150,000", licence: "GPL-3.0",
    url: "https://raw.githubusercontent.com/hagezi/dns-blocklists/main/adblock/multi.txt" },
  { name: "HaGeZi Pro", use: "the same, more thorough", size: "160,000", licence: "GPL-3.0",
    url: "https://raw.githubusercontent.com/hagezi/dns-blocklists/main/adblock/pro.txt" },
  { name: "StevenBlack", use: "ads and malware, as a hosts file", size: "150,000", licence: "MIT",
    url: "https://raw.githubusercontent.com/StevenBlack/hosts/master/hosts" },
  { name: "StevenBlack gambling", use: "ads, malware and gambling", size: "160,000", licence: "MIT",
    url: "https://raw.githubusercontent.com/StevenBlack/hosts/master/alternates/gambling/hosts" },
  { name: "AdGuard DNS filter", use: "ads and trackers", size: "60,000", licence: "GPL-3.0",
    url: "https://adguardteam.github.io/HostlistsRegistry/assets/filter_1.txt" },
  { name: "1Hosts Lite", use: "ads and trackers", size: "100,000", licence: "MPL-2.0",
    url: "https://badmojr.github.io/1Hosts/Lite/adblock.txt" },
  { name: "OISD small", use: "ads, rarely in the way", size: "50,000", licence: "GPL-3.0", url: "https://small.oisd.nl/" },
  { name: "URLhaus", use: "malware", size: "1,000", licence: "CC0", url: "https://urlhaus.abuse.ch/downloads/hostfile/" },
];
