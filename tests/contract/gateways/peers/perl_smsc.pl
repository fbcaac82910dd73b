# An SMSC over Perl's Net::SMPP: ids in hexadecimal in the response, in decimal digits in the receipt. It serves one
# session after the other, and says what happens in lines of JSON as npm_smsc.js does.
use strict;
use warnings;
use Net::SMPP;

$| = 1;
my $server = Net::SMPP->new_listen('127.0.0.1', port => 0, smpp_version => 0x34) or die "cannot listen: $!";
printf qq({"port": %d}\n), $server->sockport;
my $last = 200_000_000;
while (my $session = $server->accept) {
    # It takes a transceiver bind only when it knows the version beforehand.
    $session->set_version(0x34);
    while (my $pdu = $session->read_pdu) {
        my $command = $pdu->{cmd};
        if ($command == Net::SMPP::CMD_bind_transceiver) {
            $session->bind_transceiver_resp(system_id => 'perl', seq => $pdu->{seq}, status => 0);
        }
        elsif ($command == Net::SMPP::CMD_submit_sm) {
            my $number = ++$last;
            printf qq({"receiver": "%s", "sender": "%s", "text": "", "registered": %d}\n),
                $pdu->{destination_addr}, $pdu->{source_addr}, $pdu->{registered_delivery};
            $session->submit_sm_resp(message_id => sprintf('%08X', $number), seq => $pdu->{seq}, status => 0);
            next unless $pdu->{registered_delivery};
            $session->deliver_sm(
                source_addr => $pdu->{destination_addr}, destination_addr => $pdu->{source_addr},
                esm_class => 4, async => 1,
                short_message => "id:$number sub:001 dlvrd:001 submit date:2611281630 done date:2611281631 "
                    . 'stat:DELIVRD err:000 Text:Hello',
            );
        }
        elsif ($command == Net::SMPP::CMD_deliver_sm_resp) { printf qq({"answered": %d}\n), $pdu->{status}; }
        elsif ($command == Net::SMPP::CMD_enquire_link) { $session->enquire_link_resp(seq => $pdu->{seq}, status => 0); }
        elsif ($command == Net::SMPP::CMD_unbind) {
            $session->unbind_resp(seq => $pdu->{seq}, status => 0);
            last;
        }
    }
}
